// Custom groups, nested or not: pick a group, then the labels that belong to it; split it, remove it.

import {element, uniqueId} from "../lib/dom.js";
import {shortened} from "../lib/format.js";
import {added, carried, groupAt, halves, relabelled, removed, renamed, rowsOf, split, toggled} from "../protocol/groups.js";
import {labelsText, typedLabels} from "../protocol/spec.js";

const MOST_CHIPS = 60;
/** How labels are typed. */
export const BY_TEXT = "names, indices or ranges of them, as in tabby, 207, 151-160";

/** An editor of groups in a place. */
export class Groups {
  constructor(container, {colour, onChange}) {
    Object.assign(this, {container, colour, onChange, id: uniqueId("active-group"), labels: [], groups: [], active: [0]});
  }

  /** Edit groups of these labels; without given ones, those at hand stay while the labels do. */
  show(labels, chosen = null) {
    const same = labels.length === this.labels.length && labels.every((label, i) => label === this.labels[i]);
    if (same && !chosen) return;
    const known = this.labels.length ? this.labels : labels; // filled before labels were known
    const kept = this.groups.length ? carried(this.groups, known, labels) : null;
    Object.assign(this, {labels, groups: chosen ?? kept ?? halves(labels)});
    this.#activate([0]);
  }

  /** What to do, in a sentence. */
  get hint() {
    const few = this.labels.length <= MOST_CHIPS;
    return few ? "Pick a group, then press the labels that belong to it." : `Type its labels beside a group: ${BY_TEXT}.`;
  }

  /** Return the groups as a spec holds them. */
  read() {
    return this.groups;
  }

  #change(groups) {
    this.groups = groups;
    this.#activate(this.active);
    this.onChange();
  }

  /** Make a group of labels the one that labels are put into: this one, else the first there is. */
  #activate(path) {
    const leaves = rowsOf(this.groups).filter(({group}) => group.labels);
    const wanted = leaves.find((leaf) => keyOf(leaf.path) === keyOf(path)) ?? leaves.find(isInside(path)) ?? leaves.at(-1);
    this.active = wanted?.path ?? [0];
    this.#render();
  }

  #render() {
    const chips = this.labels.length <= MOST_CHIPS;
    const focused = this.container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const rows = rowsOf(this.groups).map(({path, group}) => this.#row(path, group, chips));
    this.container.replaceChildren(
      element("div", {className: "group-rows"}, ...rows),
      element("div", {className: "chips", role: "group", "aria-label": "Labels"}, ...this.#chips()),
      this.#button("add", "+ another group", () => this.#add([]))
    );
    if (focused) this.container.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Put labels into another group from now on, without touching the field that has the focus. */
  #point(path) {
    this.active = path;
    const pick = this.container.querySelector(`[data-key="pick-${keyOf(path)}"]`);
    if (pick) pick.checked = true;
    this.container.querySelector(".chips").replaceChildren(...this.#chips());
  }

  #chips() {
    return this.labels.length <= MOST_CHIPS ? this.labels.map((label) => this.#chip(label)) : [];
  }

  #row(path, group, chips) {
    const choice = chips ? this.#pick(path, group) : null;
    const text = chips || group.groups ? null : this.#text(path, group);
    const grow = group.groups
      ? this.#named(`add-${keyOf(path)}`, "+", `Add a group to ${group.name}`, () => this.#add(path))
      : this.#splitting(path, group);
    const removal = this.#named(`remove-${keyOf(path)}`, "×", `Remove ${group.name}`, () =>
      this.#change(removed(this.groups, path))
    );
    const row = element("div", {className: "group-row"}, choice, this.#name(path, group), text, grow, removal);
    row.style.paddingLeft = `${14 * (path.length - 1)}px`;
    return row;
  }

  #pick(path, group) {
    if (group.groups) return element("span", {className: "branch", "aria-hidden": "true"}, "▾");
    const pick = element("input", {
      type: "radio", name: this.id, checked: keyOf(path) === keyOf(this.active), "data-key": `pick-${keyOf(path)}`,
      "aria-label": `Put labels into ${group.name}`, onchange: () => this.#activate(path)
    });
    pick.style.accentColor = this.colour(path[0]);
    return pick;
  }

  #text(path, group) {
    return element("input", {
      value: labelsText(group.labels, this.labels), "aria-label": `Labels of ${group.name}`, "data-key": `labels-${keyOf(path)}`,
      oninput: ({target}) => {
        this.groups = relabelled(this.groups, path, typedLabels(target.value, this.labels));
        this.onChange();
      }
    });
  }

  #name(path, group) {
    return element("input", {
      value: group.name, "aria-label": `Name of group ${path.map((i) => i + 1).join(".")}`, "data-key": `name-${keyOf(path)}`,
      oninput: ({target}) => {
        this.groups = renamed(this.groups, path, target.value);
        this.onChange();
      },
      onfocus: () => group.labels && this.#point(path)
    });
  }

  #splitting(path, group) {
    const button = this.#named(`split-${keyOf(path)}`, "÷", `Split ${group.name} in two`, () => this.#change(split(this.groups, path)));
    button.disabled = group.labels.length < 2;
    return button;
  }

  #chip(label) {
    const owner = rowsOf(this.groups).find(({group}) => group.labels?.includes(label));
    const chip = this.#button(`chip-${label}`, shortened(label), () => this.#change(toggled(this.groups, this.active, label)));
    chip.className = owner ? "chip taken" : "chip";
    const where = owner ? `in ${namesOf(this.groups, owner.path).join(", ")}` : "in no group";
    chip.title = shortened(label) === label ? where : `${label}: ${where}`;
    chip.setAttribute("aria-pressed", String(Boolean(owner) && keyOf(owner.path) === keyOf(this.active)));
    if (owner) chip.style.setProperty("--group", this.colour(owner.path[0]));
    return chip;
  }

  #named(key, text, name, onclick) {
    const button = this.#button(key, text, onclick);
    button.setAttribute("aria-label", name);
    button.title = name;
    return button;
  }

  #button(key, text, onclick) {
    return element("button", {type: "button", className: "quiet", "data-key": key, onclick}, text);
  }

  #add(path) {
    this.active = [...path, (path.length ? groupAt(this.groups, path).groups : this.groups).length];
    this.#change(added(this.groups, path));
  }
}

const keyOf = (path) => path.join(".");
const isInside = (outer) => ({path}) => outer.every((position, i) => path[i] === position);
const namesOf = (groups, path) => path.map((_, i) => groupAt(groups, path.slice(0, i + 1)).name);
