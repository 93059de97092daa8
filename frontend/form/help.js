// The help of the form: every setting says what the schema of the spec describes of it, and leads to the handbook.

import {setText} from "../lib/dom.js";
import {helpMark} from "../lib/help.js";
import {settingGuide} from "../protocol/guide.js";
import {helpAt, knows} from "../protocol/schema.js";

/** Give the fields inside an element their help; a field that the schema does not describe has none. */
export function helpFields(root, schema) {
  for (const field of root.querySelectorAll(".field[data-field]")) helpField(field, helpAt(schema, field.dataset.field));
}

/** Offer a setting that servers of before do not know, with the first sentence that the schema says of it. */
export function showIfKnown(root, schema, path) {
  const field = root.querySelector(`.field[data-field="${path}"]`);
  field.hidden = !knows(schema, path);
  setText(field.querySelector(".hint"), summaryOf(helpAt(schema, path)));
}

/** Give one field its help text: to its control, and as a mark beside its label. */
export function helpField(field, text) {
  if (!text) return;
  const control = field.querySelector(":scope > :is(input, select, textarea, [role=group])");
  control.title = text;
  control.setAttribute("aria-description", text);
  const label = field.querySelector(":scope > :is(label, .label)");
  label.after(helpMark(settingGuide(field.dataset.field), label.textContent, text));
}

/** Return the first sentence of a help text. */
const summaryOf = (text) => /^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text;
