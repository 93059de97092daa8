// Help marks: small links into the handbook, a question mark or a word, that say the gist when pointed at.

import {element} from "./dom.js";

const WINDOW = "entroscope-guide";

/** Return a help mark on a subject; `text` is what it says when pointed at. */
export const helpMark = (href, subject, text = "") =>
  element(
    "a",
    {className: "help", href, target: WINDOW, title: text || `${subject}: open the handbook`},
    element("span", {"aria-hidden": "true"}, "?"),
    element("span", {className: "unseen"}, `Help on ${subject}`)
  );

/** Fill the places for help marks: elements whose data-help is a subject, and data-help-text a word to show instead of the mark. */
export function placeHelpMarks(root, addresses) {
  for (const node of root.querySelectorAll("[data-help]")) {
    const {help, helpText, helpName = help.replaceAll("-", " ")} = node.dataset;
    const href = addresses[help];
    node.replaceChildren(helpText ? element("a", {href, target: WINDOW}, helpText) : helpMark(href, helpName));
  }
}
