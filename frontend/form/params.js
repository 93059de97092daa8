// The fields of a model's parameters, made from the JSON Schema that it announces.

import {element} from "../lib/dom.js";
import {labelled} from "./fields.js";
import {pointsText, typed, typedList, typedPoints, typedTexts} from "../protocol/spec.js";

const READERS = {points: typedPoints, list: typedList, texts: typedTexts, number: typed};
const WRITERS = {
  points: pointsText, list: (list) => list.join(", "), texts: (lines) => lines.join("\n"), number: String
};
const TEXT_ROWS = 4;

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
  const own = property.anyOf?.find(({type}) => type !== "null") ?? property;
  if (own.type !== "array") return "number";
  return {array: "points", string: "texts"}[own.items?.type] ?? "list";
}

/** Return what a field shows: the given value, else the default, else nothing. */
export function shownValue(property, given) {
  const value = given ?? property.default ?? null;
  return value === null ? "" : WRITERS[shapeOf(property)](value);
}

/** The parameters of a model, shown in a place. */
export class Params {
  constructor(place, onChange) {
    Object.assign(this, {place, onChange, kinds: [], select: null, fields: new Map()});
  }

  show(schema, given = {}) {
    this.kinds = kindsOf(schema);
    this.select = null;
    this.place.hidden = this.kinds.length === 0;
    this.place.replaceChildren();
    if (this.kinds.length > 1) this.#offerKinds(given.kind ?? this.kinds[0].kind);
    if (this.kinds.length) this.#showFields(given);
  }

  /** Return the parameters as a spec holds them, or nothing for a model without any. */
  read() {
    if (!this.kinds.length) return undefined;
    const values = [...this.fields].map(([name, {input, shape}]) => [name, READERS[shape](input.value)]);
    const kind = this.select ? [["kind", this.select.value]] : [];
    return Object.fromEntries([...kind, ...values.filter(([, value]) => value !== undefined)]);
  }

  #offerKinds(chosen) {
    const options = this.kinds.map(({kind}) => element("option", {value: kind, selected: kind === chosen}, kind));
    this.select = element("select", {}, ...options);
    this.select.onchange = () => {
      this.#showFields({});
      this.onChange();
    };
    this.place.append(labelled("Kind", this.select, "params.kind"));
  }

  #showFields(given) {
    const kept = this.select ? [this.place.firstChild] : [];
    const {properties} = this.kinds.find(({kind}) => kind === this.select?.value) ?? this.kinds[0];
    this.fields.clear();
    const fields = Object.entries(properties).map(([name, property]) => this.#field(name, property, given[name]));
    this.place.replaceChildren(...kept, ...fields);
  }

  #field(name, property, given) {
    const shape = shapeOf(property);
    const lines = shape === "texts";
    const input = element(lines ? "textarea" : "input", {oninput: this.onChange, autocomplete: "off", rows: lines ? TEXT_ROWS : undefined});
    input.value = shownValue(property, given);
    this.fields.set(name, {input, shape});
    const title = name[0].toUpperCase() + name.slice(1) + (lines ? ", one a line" : "");
    const field = labelled(title, input, `params.${name}`);
    field.classList.toggle("wide", lines || shape === "points");
    return field;
  }
}

const resolved = (node, schema) =>
  node.$ref ? node.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], schema) : node;
