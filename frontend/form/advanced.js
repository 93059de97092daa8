// Advanced settings of a run: guidance, pruning, complement.

import {element} from "../lib/dom.js";
import {labelled} from "./fields.js";
import {guidanceOf, NO_GUIDANCE} from "../protocol/guidance.js";
import {offered} from "../protocol/schema.js";
import {typed} from "../protocol/spec.js";

/** What the choices of the spec are called; a choice without a name here is called as in the spec. */
const NAMES = {
  method: {none: "none", cfg: "classifier-free", feedback: "feedback"},
  complement: {classes: "all other classes", rebuilt: "rebuilt from the unconditional branch", unconditional: "the unconditional branch"},
  decoder: {model: "the kernels of the model", guided: "the guided kernels"}
};

/** The advanced settings, shown in a place; `onChange` is called when one is edited. */
export class Advanced {
  constructor(container, onChange) {
    Object.assign(this, {container, onChange, kinds: "", offers: null});
    const number = (value, placeholder = "") =>
      element("input", {value, placeholder, inputMode: "decimal", autocomplete: "off", oninput: onChange});
    const select = () => element("select", {onchange: () => this.#changed()});
    this.method = select();
    this.decoder = select();
    this.complement = select();
    this.scale = number("2");
    this.low = number("", "all");
    this.high = number("", "all");
    this.maxScale = number("10");
    this.prune = number("", "never");
    this.container.replaceChildren(...this.#fields());
  }

  /** Show what makes sense for a model and a decision. */
  offer(schema, model, rests) {
    const offers = offered(schema, model, rests);
    const kinds = JSON.stringify([offers, model?.name]);
    if (kinds === this.kinds) return;
    Object.assign(this, {kinds, offers});
    this.container.hidden = false;
    fill(this.method, offers.methods.length ? [NO_GUIDANCE, ...offers.methods] : [NO_GUIDANCE], NAMES.method);
    fill(this.decoder, offers.decoders, NAMES.decoder);
    fill(this.complement, offers.complements, NAMES.complement);
    this.#arrange();
  }

  /** Return the part of the spec that these settings are; what is as usual stays out. */
  read(sigmaMax) {
    const [low, high, scale, maxScale] = [this.low, this.high, this.scale, this.maxScale].map(({value}) => value);
    const guidance = guidanceOf(
      {method: this.method.value || NO_GUIDANCE, decoder: this.decoder.value, low, high, scale, maxScale}, sigmaMax
    );
    return {
      guidance,
      prune_below: typed(this.prune.value),
      complement: this.complement.value || undefined
    };
  }

  /** Show the settings of a spec. */
  show(spec) {
    const {guidance} = spec;
    this.method.value = guidance?.method ?? NO_GUIDANCE;
    if (guidance) {
      this.decoder.value = guidance.decoder;
      this.scale.value = guidance.scale;
      this.maxScale.value = guidance.max_scale;
    }
    [this.low.value, this.high.value] = guidance?.interval ?? ["", ""];
    this.prune.value = spec.prune_below || "";
    if (this.offers.complements.length) this.complement.value = spec.complement;
    this.#arrange();
    if (guidance || spec.prune_below) this.container.closest("details").open = true;
  }

  #changed() {
    this.#arrange();
    this.onChange();
  }

  #fields() {
    const ends = element(
      "div",
      {className: "pair wide", "data-field": "guidance.interval"},
      labelled("Guided from σ", this.high, "guidance.interval.1"),
      labelled("down to σ", this.low, "guidance.interval.0"),
      element("p", {className: "error wide", hidden: true})
    );
    this.guidance = element(
      "div",
      {className: "pair wide", "data-field": "guidance"},
      labelled("Guidance", this.method, "guidance.method"),
      labelled("Scale", this.scale, "guidance.scale"),
      labelled("Largest scale", this.maxScale, "guidance.max_scale"),
      ends,
      labelled("Scored with", this.decoder, "guidance.decoder"),
      element("p", {className: "error wide", hidden: true})
    );
    return [
      this.guidance,
      labelled("Prune classes below", this.prune, "prune_below"),
      labelled("Complement of a class", this.complement, "complement")
    ];
  }

  /** Hide what does not apply. */
  #arrange() {
    const {methods, complements} = this.offers;
    const guided = this.method.value !== NO_GUIDANCE;
    this.guidance.hidden = methods.length === 0;
    for (const control of [this.scale, this.low, this.decoder]) fieldOf(control).hidden = !guided;
    fieldOf(this.low).parentNode.hidden = fieldOf(this.high).hidden = !guided;
    fieldOf(this.maxScale).hidden = this.method.value !== "feedback";
    fieldOf(this.complement).hidden = complements.length === 0;
    for (const control of [this.method, this.decoder]) fieldOf(control).classList.add("wide");
  }
}

const fieldOf = (control) => control.closest(".field");

function fill(select, choices, names) {
  const before = select.value;
  select.replaceChildren(...choices.map((value) => element("option", {value}, names[value] ?? value)));
  if (choices.includes(before)) select.value = before;
}
