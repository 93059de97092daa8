// Fields of the form: a label, a control, and a place for what is wrong with it.

import {byId, element, setText, uniqueId} from "../lib/dom.js";

/** Return a field made of a label and a control, named as the spec names it ("params.std"). */
export function labelled(text, control, name) {
  control.id = uniqueId("field");
  const error = element("p", {className: "error", id: `${control.id}-error`, hidden: true});
  control.setAttribute("aria-describedby", error.id);
  return element(
    "div",
    {className: "field", "data-field": name},
    element("label", {for: control.id}, text),
    control,
    error
  );
}

/** The sizes of batches follow from the number of trajectories; the form has no field for them. */
const FOLLOWS = [/^batch_sizes(\..*)?$/, "trajectories"];

/** Return the name of the field that shows an error, the longest that fits, or null. */
export function owner(names, field) {
  const path = field.replace(/^body\./, "").replace(...FOLLOWS);
  const fitting = names.filter((name) => path === name || path.startsWith(`${name}.`));
  return fitting.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** Return the reason for an error in a field; a list of labels that is empty is a group that has none yet. */
export const groupReason = (field, reason) =>
  /(^|\.)labels$/.test(field) && /at least 1 item/.test(reason) ? "each group needs a label" : reason;

/** Show errors beside their fields, and those without a field in the form's own place. */
export function showErrors(form, errors) {
  const fields = new Map([...form.querySelectorAll("[data-field]")].map((node) => [node.dataset.field, node]));
  const texts = new Map();
  for (const {field, reason} of errors) {
    const name = owner([...fields.keys()].filter((key) => visible(fields.get(key))), field);
    const words = groupReason(field, reason);
    texts.set(name, [...(texts.get(name) ?? []), name ? words : [field, words].filter(Boolean).join(": ")]);
  }
  for (const [name, node] of fields) showError(node, texts.get(name));
  const rest = byId("form-error");
  setText(rest, sentences(texts.get(null)));
  rest.hidden = !texts.has(null);
}

/** Move the focus to the first control that is off. */
export const focusFirstError = (form) => form.querySelector("[aria-invalid=true]")?.focus();

/** Two fields of one kind are often wrong in the same way: it is said once. */
const sentences = (reasons) => [...new Set(reasons ?? [])].join("; ");

/** A place for errors alone is hidden while it is empty. */
const visible = (node) => !(node.matches(".error") ? node.parentNode : node).closest("[hidden]");

function showError(node, reasons) {
  const error = node.matches(".error") ? node : node.querySelector(":scope > .error");
  setText(error, sentences(reasons));
  error.hidden = !reasons;
  for (const control of node.querySelectorAll(":scope > input, :scope > select, :scope > textarea")) {
    control.setAttribute("aria-invalid", String(Boolean(reasons)));
  }
  if (reasons) node.closest("details")?.setAttribute("open", "");
}
