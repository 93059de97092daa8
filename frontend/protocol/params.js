// The parameters of a model family, from the JSON Schema that it announces: their kinds, and how they are typed. Pure.

import {pointsText, typed, typedList, typedPoints, typedTexts} from "./spec.js";

const READERS = {points: typedPoints, list: typedList, texts: typedTexts, number: typed};
const WRITERS = {
  points: pointsText, list: (list) => list.join(", "), texts: (lines) => lines.join("\n"), number: String
};

/** Return the kinds of parameters a schema offers: [{kind, properties}], none without a schema. */
export function kindsOf(schema) {
  if (!schema) return [];
  const variants = schema.oneOf ?? schema.anyOf ?? [schema];
  return variants.map((variant) => {
    const {properties} = resolved(variant, schema);
    const {kind, ...rest} = properties;
    return {kind: kind?.const ?? kind?.default ?? null, properties: rest};
  });
}

/** Return how a property is typed: "points", "list", "texts" (one a line) or "number". */
export function shapeOf(property) {
  const variant = property.anyOf?.find(({type}) => type !== "null") ?? property;
  if (variant.type !== "array") return "number";
  return {array: "points", string: "texts"}[variant.items?.type] ?? "list";
}

/** Return what a field shows: the given value, else the default, else nothing. */
export function shownValue(property, chosen) {
  const value = chosen ?? property.default ?? null;
  return value === null ? "" : WRITERS[shapeOf(property)](value);
}

/** Return the value that a field of some shape holds. */
export const readValue = (shape, text) => READERS[shape](text);

const resolved = (node, schema) =>
  node.$ref ? node.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], schema) : node;
