// The fields of a model's parameters, made from the JSON Schema that it announces.

import {element} from "../lib/dom.js";
import {labelled} from "./fields.js";
import {helpField} from "./help.js";
import {kindsOf, readValue, shapeOf, shownValue} from "../protocol/params.js";
import {helpOf} from "../protocol/schema.js";

const TEXT_ROWS = 4;
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
    const shape = shapeOf(property);
    const lines = shape === "texts";
    const input = element(lines ? "textarea" : "input", {oninput: this.onChange, autocomplete: "off", rows: lines ? TEXT_ROWS : undefined});
    input.value = shownValue(property, chosen);
    this.fields.set(name, {input, shape});
    const title = name[0].toUpperCase() + name.slice(1) + (lines ? ", one a line" : "");
    const field = labelled(title, input, `params.${name}`);
    field.classList.toggle("wide", lines || shape === "points");
    helpField(field, helpOf(property, this.schema));
    return field;
  }
}
