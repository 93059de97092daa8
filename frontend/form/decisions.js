// The decisions to measure, one or several in one run: each a partition of the labels.

import {element} from "../lib/dom.js";
import {shortened} from "../lib/format.js";
import {BY_TEXT, Groups} from "./groups.js";
import {kindOf, labelsText, named, pairAmong, pairOf, typedLabels} from "../protocol/spec.js";

const KINDS = {
  class: {
    classes: "all classes",
    rest: "each class against the rest",
    each: "chosen classes against the rest",
    pair: "one class against another",
    groups: "custom groups"
  },
  prompt: {
    classes: "all prompts",
    rest: "each prompt against the rest",
    each: "chosen prompts against the rest",
    pair: "one prompt against another",
    groups: "custom groups"
  }
};
/** Longest label of two selects that stand side by side. */
const MOST_BESIDE = 24;
const EACH_HINT = `${BY_TEXT[0].toUpperCase()}${BY_TEXT.slice(1)}.`;

/** A list of decisions in a place, each with its editor. */
export class Decisions {
  constructor(container, {colour, onChange}) {
    Object.assign(this, {container, colour, onChange, noun: "class", labels: [], presets: [], rows: []});
    this.fill({classes: null});
  }

  /** Whether they cannot be told without the labels of the model. */
  get needLabels() {
    return this.rows.some(({kind}) => kind !== "classes" && kind !== "rest");
  }

  /** Show the partitions of a spec. */
  fill(partitions) {
    this.rows = Object.entries(partitions).map(([name, partition]) => {
      const row = this.#new(kindOf(name, partition, this.presets), name);
      if (row.kind === "pair") row.pair = partition.map(({labels}) => labels[0]);
      if (row.kind === "each") row.each = labelsText(partition.each, this.labels);
      if (Array.isArray(partition)) row.groups.show(this.labels, structuredClone(partition));
      return row;
    });
    this.#render();
  }

  /** Call labels what they are, "class" or "prompt". */
  call(noun) {
    if (noun === this.noun) return;
    this.noun = noun;
    this.#render();
  }

  /** Take what is known of the model: its labels (none: not known yet) and its presets. */
  know({labels, presets}) {
    if (JSON.stringify([labels, presets]) === JSON.stringify([this.labels, this.presets])) return;
    const before = this.labels;
    Object.assign(this, {labels, presets});
    for (const row of this.rows) this.#adapt(row, before);
    this.#render();
  }

  /** Return the partitions as a spec holds them. */
  read() {
    return named(this.rows.map((row) => [row.name ?? this.#preset(row)?.name ?? row.kind, this.#partition(row)]));
  }

  #partition({kind, pair, each, groups}) {
    if (kind === "classes") return null;
    if (kind === "rest") return "each-vs-rest";
    if (kind === "each") return {each: typedLabels(each, this.labels)};
    return kind === "pair" ? pairOf(...pair) : groups.read();
  }

  #preset({kind}) {
    return this.presets.find(({name}) => kind === `preset:${name}`);
  }

  #new(kind, name = null) {
    const container = element("div", {className: "groups"});
    const row = {kind, name, pair: [], each: "", container};
    row.groups = new Groups(container, {colour: this.colour, onChange: () => this.#edited(row)});
    return row;
  }

  /** Fit a decision to labels and presets that may have changed. */
  #adapt(row, before = []) {
    if (row.kind.startsWith("preset:") && !this.#preset(row)) row.kind = "groups";
    if (!this.labels.length) return;
    if (row.kind === "pair") row.pair = pairAmong(this.labels, row.pair, before);
    if (row.kind === "each") row.each ||= labelsText([this.labels[0]], this.labels);
    if (row.kind === "groups") row.groups.show(this.labels);
    const preset = this.#preset(row);
    if (preset) row.groups.show(this.labels, structuredClone(preset.partition));
  }

  #choose(row, kind) {
    Object.assign(row, {kind, name: null});
    this.#adapt(row);
    this.#changed();
  }

  /** Groups that differ from the preset they come from are custom groups. */
  #edited(row) {
    const preset = this.#preset(row);
    if (preset && JSON.stringify(preset.partition) !== JSON.stringify(row.groups.read())) {
      Object.assign(row, {kind: "groups", name: row.name ?? preset.name});
      this.#render();
    }
    this.onChange();
  }

  #changed() {
    this.#render();
    this.onChange();
  }

  #render() {
    const shown = this.container.contains(document.activeElement) ? document.activeElement : null;
    const key = shown?.dataset.key;
    this.container.replaceChildren(...this.rows.map((row, index) => this.#row(row, index)), this.#more());
    if (shown?.isConnected) shown.focus();
    else if (key) this.container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  #row(row, index) {
    const select = this.#select(row, index);
    const head = element("div", {className: "decision-head"}, select, this.rows.length > 1 ? this.#removal(row, index) : null);
    return element("div", {className: "decision"}, head, ...this.#editor(row));
  }

  #select(row, index) {
    const options = Object.entries(KINDS[this.noun]).map(([value, text]) => option(value, text, row.kind));
    const presets = this.presets.map(({name, title}) => option(`preset:${name}`, title, row.kind));
    return element(
      "select",
      {"aria-label": `Decision ${index + 1}`, "data-key": `decision-${index}`, onchange: ({target}) => this.#choose(row, target.value)},
      ...options.slice(0, 4), ...presets, ...options.slice(4)
    );
  }

  #editor(row) {
    if (row.kind === "classes" || row.kind === "rest") return [];
    if (row.kind === "pair") return [this.#pair(row)];
    if (row.kind === "each") return [element("p", {className: "hint"}, EACH_HINT), this.#chosen(row)];
    return [element("p", {className: "hint"}, row.groups.hint), row.container];
  }

  #chosen(row) {
    return element("input", {
      value: row.each, "aria-label": "Chosen classes", "data-key": `each-${this.rows.indexOf(row)}`, autocomplete: "off",
      oninput: ({target}) => {
        row.each = target.value;
        this.onChange();
      }
    });
  }

  #pair(row) {
    const selects = [`First ${this.noun}`, `Second ${this.noun}`].map((name, side) =>
      element(
        "select",
        {
          "aria-label": name, "data-key": `pair-${this.rows.indexOf(row)}-${side}`,
          onchange: ({target}) => {
            row.pair = row.pair.map((label, i) => (i === side ? target.value : label));
            this.onChange();
          }
        },
        ...this.labels.map((label) => option(label, shortened(label, 60), row.pair[side]))
      )
    );
    const long = this.labels.some((label) => label.length > MOST_BESIDE);
    return element("div", {className: long ? "decision-pair stacked" : "decision-pair"}, selects[0], "or", selects[1]);
  }

  #removal(row, index) {
    const onclick = () => {
      this.rows = this.rows.filter((other) => other !== row);
      this.#changed();
    };
    return element("button", {type: "button", className: "quiet", "aria-label": `Remove decision ${index + 1}`, onclick}, "×");
  }

  #more() {
    const onclick = () => {
      this.rows = [...this.rows, this.#new(this.rows.some(({kind}) => kind === "classes") ? "rest" : "classes")];
      this.#changed();
    };
    return element("button", {type: "button", className: "quiet more", "data-key": "more", onclick}, "+ another decision");
  }
}

const option = (value, text, chosen) => element("option", {value, selected: value === chosen}, text);
