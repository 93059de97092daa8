// Groups of one's own: pick a group, then the labels that belong to it.

import {element} from "../dom.js";
import {labelsText, typedLabels} from "./values.js";

const MOST_CHIPS = 60;

/** Return two groups to begin with: the first and the second half of the labels. */
export function halves(labels) {
  const middle = Math.ceil(labels.length / 2);
  return [
    {name: "first half", labels: labels.slice(0, middle)},
    {name: "second half", labels: labels.slice(middle)}
  ];
}

/** Return groups after a press on a label: it joins the active group, or leaves it. */
export function toggled(groups, active, label) {
  return groups.map((group, index) => {
    const without = group.labels.filter((own) => own !== label);
    const joins = index === active && without.length === group.labels.length;
    return {...group, labels: joins ? [...without, label] : without};
  });
}

/** An editor of groups in a place. */
export class Groups {
  constructor(place, {colour, onChange}) {
    Object.assign(this, {place, colour, onChange, labels: [], groups: [], active: 0});
  }

  /** Edit groups of these labels; without given ones, those at hand stay while the labels do. */
  show(labels, given = null) {
    const same = labels.length === this.labels.length && labels.every((label, i) => label === this.labels[i]);
    if (same && !given) return;
    Object.assign(this, {labels, groups: given ?? halves(labels), active: 0});
    this.#render();
  }

  /** Return the groups as a spec holds them. */
  read() {
    return this.groups.map(({name, labels}) => ({name, labels}));
  }

  #change(groups) {
    this.groups = groups;
    this.active = Math.max(0, Math.min(this.active, groups.length - 1));
    this.#render();
    this.onChange();
  }

  #activate(index) {
    if (this.active === index) return;
    this.active = index;
    this.#render();
  }

  #render() {
    const chips = this.labels.length <= MOST_CHIPS;
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const rows = this.groups.map((group, index) => (chips ? this.#row(group, index) : this.#wideRow(group, index)));
    const labels = chips ? this.labels.map((label) => this.#chip(label)) : [];
    this.place.replaceChildren(
      element("div", {className: "group-rows"}, ...rows),
      element("div", {className: "chips", role: "group", "aria-label": "Labels"}, ...labels),
      this.#button("add", "+ another group", () => this.#add())
    );
    if (focused) this.place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(group, index) {
    const pick = element("input", {
      type: "radio", name: "active-group", checked: index === this.active, "data-key": `pick-${index}`,
      "aria-label": `Put labels into ${group.name}`, onchange: () => this.#activate(index)
    });
    pick.style.accentColor = this.colour(index);
    return element("div", {className: "group-row"}, pick, this.#name(group, index), this.#removal(group, index));
  }

  #wideRow(group, index) {
    const input = element("input", {
      value: labelsText(group.labels, this.labels), "aria-label": `Labels of ${group.name}`, "data-key": `labels-${index}`,
      oninput: ({target}) => {
        group.labels = typedLabels(target.value, this.labels);
        this.onChange();
      }
    });
    return element("div", {className: "group-row"}, this.#name(group, index), input, this.#removal(group, index));
  }

  #name(group, index) {
    return element("input", {
      value: group.name, "aria-label": `Name of group ${index + 1}`, "data-key": `name-${index}`,
      oninput: ({target}) => {
        group.name = target.value;
        this.onChange();
      },
      onfocus: () => this.#activate(index)
    });
  }

  #removal(group, index) {
    const button = this.#button(`remove-${index}`, "×", () => this.#change(this.groups.filter((_, i) => i !== index)));
    button.setAttribute("aria-label", `Remove ${group.name}`);
    return button;
  }

  #chip(label) {
    const owner = this.groups.findIndex((group) => group.labels.includes(label));
    const press = () => this.#change(toggled(this.groups, this.active, label));
    const chip = this.#button(`chip-${label}`, label, press);
    chip.className = owner < 0 ? "chip" : "chip taken";
    chip.title = owner < 0 ? "in no group" : `in ${this.groups[owner].name}`;
    chip.setAttribute("aria-pressed", String(owner === this.active));
    if (owner >= 0) chip.style.setProperty("--own", this.colour(owner));
    return chip;
  }

  #button(key, text, onclick) {
    return element("button", {type: "button", className: "quiet", "data-key": key, onclick}, text);
  }

  #add() {
    this.active = this.groups.length;
    this.#change([...this.groups, {name: `group ${this.groups.length + 1}`, labels: []}]);
  }
}
