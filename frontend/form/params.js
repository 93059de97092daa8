// The fields of a model's parameters, made from the JSON Schema that it announces.

import {element} from "../lib/dom.js";
import {labelled} from "./fields.js";
import {helpField} from "./help.js";
import {choicesOf, kindsOf, readValue, shapeOf, shownValue} from "../protocol/params.js";
import {helpOf} from "../protocol/schema.js";

const TEXT_ROWS = 4;
/** Shapes whose values need the width of the form. */
const WIDE = ["texts", "points", "json"];
const CHOICES = new Map([[null, "not set"], [true, "yes"], [false, "no"]]);
/** What kinds of parameters are called; one without a name here is called as in the spec. */
const KINDS = {points: "points", pair: "two Gaussians", random: "random points", tree: "tree of Gaussians"};

/** The parameters of a model, shown in a place. */
export class Params {
  constructor(container, onChange) {
    Object.assign(this, {container, onChange, kinds: [], select: null, fields: new Map()});
  }

  show(schema, chosen = {}) {
    Object.assign(this, {schema, kinds: kindsOf(schema)});
    this.select = null;
    this.container.hidden = this.kinds.length === 0;
    this.container.replaceChildren();
    if (this.kinds.length > 1) this.#offerKinds(chosen.kind ?? this.kinds[0].kind);
    if (this.kinds.length) this.#showFields(chosen);
  }

  /** Return the parameters as a spec holds them, or nothing for a model without any. */
  read() {
    if (!this.kinds.length) return undefined;
    const values = [...this.fields].map(([name, {input, shape}]) => [name, readValue(shape, input.value)]);
    const kind = this.select ? [["kind", this.select.value]] : [];
    return Object.fromEntries([...kind, ...values.filter(([, value]) => value !== undefined)]);
  }

  #offerKinds(chosen) {
    const options = this.kinds.map(({kind}) => element("option", {value: kind, selected: kind === chosen}, KINDS[kind] ?? kind));
    this.select = element("select", {}, ...options);
    this.select.onchange = () => {
      this.#showFields({});
      this.onChange();
    };
    this.container.append(labelled("Kind", this.select, "params.kind"));
  }

  #showFields(chosen) {
    const kept = this.select ? [this.container.firstChild] : [];
    const {properties} = this.kinds.find(({kind}) => kind === this.select?.value) ?? this.kinds[0];
    this.fields.clear();
    const fields = Object.entries(properties).map(([name, property]) => this.#field(name, property, chosen[name]));
    this.container.replaceChildren(...kept, ...fields);
  }

  #field(name, property, chosen) {
    const shape = shapeOf(property, this.schema);
    const lines = shape === "texts";
    const input = shape === "choice" ? this.#select(property) : this.#input(shape, lines);
    input.value = shownValue(property, chosen, this.schema);
    this.fields.set(name, {input, shape});
    const words = name.replaceAll("_", " ");
    const field = labelled(words[0].toUpperCase() + words.slice(1) + (lines ? ", one a line" : ""), input, `params.${name}`);
    field.classList.toggle("wide", WIDE.includes(shape));
    helpField(field, helpOf(property, this.schema));
    return field;
  }

  #input(shape, lines) {
    const inputMode = shape === "number" ? "decimal" : undefined;
    const properties = {oninput: this.onChange, autocomplete: "off", rows: lines ? TEXT_ROWS : undefined, inputMode};
    return element(lines ? "textarea" : "input", properties);
  }

  #select(property) {
    const options = choicesOf(property, this.schema).map((value) =>
      element("option", {value: value === null ? "" : JSON.stringify(value)}, choiceText(value))
    );
    return element("select", {onchange: this.onChange}, ...options);
  }
}

const choiceText = (value) => CHOICES.get(value) ?? String(value);
