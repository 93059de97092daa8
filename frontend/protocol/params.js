// The parameters of a model family, from the JSON Schema that it announces: their kinds, and how they are typed. Pure.

import {pointsText, typed, typedList, typedPoints, typedTexts} from "./spec.js";

const READERS = {
  points: typedPoints, list: typedList, texts: typedTexts, number: typed, text: typedText, choice: typedChoice, json: typedJson
};
const WRITERS = {
  points: pointsText, list: (list) => list.join(", "), texts: (lines) => lines.join("\n"), number: String, text: String,
  choice: JSON.stringify, json: JSON.stringify
};
const LISTS = {array: "points", string: "texts", number: "list", integer: "list"};
const YES_OR_NO = [true, false];

/** Return the kinds of parameters a schema offers: [{kind, properties}], none without a schema. */
export function kindsOf(schema) {
  if (!schema) return [];
  const variants = schema.oneOf ?? schema.anyOf ?? [schema];
  return variants.map((variant) => {
    const {properties = {}} = resolved(variant, schema);
    const {kind, ...rest} = properties;
    return {kind: kind?.const ?? kind?.default ?? null, properties: rest};
  });
}

/** Return how a property is typed: "choice", "number", "text", "points", "list", "texts" (one a line) or "json". */
export function shapeOf(property, schema = {}) {
  const variant = variantOf(property, schema);
  if (choicesOf(property, schema).length) return "choice";
  if (variant.type === "array") return LISTS[resolved(variant.items ?? {}, schema).type] ?? "json";
  return {number: "number", integer: "number", string: "text"}[variant.type] ?? "json";
}

/** Return the values that a property may have, null for "left out" first; none where it is not a choice. */
export function choicesOf(property, schema = {}) {
  const variant = variantOf(property, schema);
  const values = variant.enum ?? (variant.type === "boolean" ? YES_OR_NO : []);
  return values.length && property.anyOf?.some(({type}) => type === "null") ? [null, ...values] : values;
}

/** Return what a field shows: the chosen value, else the default, else nothing. */
export function shownValue(property, chosen, schema = {}) {
  const value = chosen ?? property.default ?? null;
  return value === null ? "" : WRITERS[shapeOf(property, schema)](value);
}

/** Return the value that a field of some shape holds. */
export const readValue = (shape, text) => READERS[shape](text);

/** Return what a property is where it is not null. */
const variantOf = (property, schema) => resolved(property.anyOf?.find(({type}) => type !== "null") ?? property, schema);

function typedText(text) {
  return text === "" ? undefined : text;
}

function typedChoice(text) {
  return text === "" ? undefined : JSON.parse(text);
}

/** What is no JSON goes to the server as it is, which says what is off. */
function typedJson(text) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const resolved = (node, schema) =>
  node.$ref ? node.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], schema) : node;
