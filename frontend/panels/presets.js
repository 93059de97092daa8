// The theory bench: preset sweeps and a custom one, what they cost, and what is wrong with them.

import {byId, element, setText} from "../lib/dom.js";
import {afterPrice, count, plural} from "../lib/format.js";
import {readVary} from "../protocol/vary.js";

const DEBOUNCE_MS = 300;
const CUSTOM = {
  name: "custom",
  title: "Custom sweep",
  explanation: "The settings of the form, one run for each change in the list.",
  axis: null
};

/** Return the sentence about the price of a sweep. */
export function costText({runs, cost: {evaluations, seconds}}) {
  return `${plural(runs, "run")}, ${count(evaluations)} evaluations${afterPrice(seconds)}`;
}

/** Return what the errors of a refused sweep say, each with the place it is at. */
export const errorText = (error) =>
  (error.errors?.length ? error.errors : [{field: "", reason: error.message}])
    .map(({field, reason}) => [field.replace(/^body\./, ""), reason].filter(Boolean).join(": "))
    .join(" ");

/**
 * Show the preset sweeps.
 *
 * `plan(sweep, signal)` asks for the price, `run(sweep, axis)` starts it; `specOf()` is the spec of the form.
 */
export class Presets {
  constructor(form, {plan, run, specOf}) {
    Object.assign(this, {form, plan, run, specOf, presets: [CUSTOM], taken: [], chosen: null, timer: null, asked: null});
    form.addEventListener("submit", (event) => this.#submit(event));
    form.addEventListener("change", ({target}) => target.name === "preset" && this.#choose(target.value));
    byId("vary").addEventListener("input", () => this.edited());
  }

  /** Offer the server's presets. */
  offer(presets) {
    this.presets = [...presets.filter(({name}) => !this.taken.some((other) => other.name === name)), ...this.taken, CUSTOM];
    const radio = ({name, title}) =>
      element("label", {className: "preset"},
        element("input", {type: "radio", name: "preset", value: name}), element("span", {}, title));
    byId("presets").replaceChildren(...this.presets.map(radio));
    this.#choose(this.presets.some(({name}) => name === this.chosen) ? this.chosen : this.presets[0].name);
  }

  /** Offer a further preset, and choose it. */
  take(preset) {
    const others = ({name}) => name !== preset.name && name !== CUSTOM.name;
    this.taken = [...this.taken.filter(others), preset];
    this.chosen = preset.name;
    this.offer(this.presets.filter(others));
  }

  /** A custom sweep varies the settings of the form. */
  formChanged() {
    if (this.chosen === CUSTOM.name) this.edited();
  }

  /** Ask for the price again, soon. */
  edited() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#price(), DEBOUNCE_MS);
  }

  #choose(name) {
    this.chosen = name;
    for (const input of byId("presets").querySelectorAll("input")) input.checked = input.value === name;
    setText(byId("preset-about"), this.#preset.explanation);
    byId("vary-field").hidden = name !== CUSTOM.name;
    setText(byId("sweep-cost"), "");
    this.#refused(null);
    this.#price();
  }

  get #preset() {
    return this.presets.find(({name}) => name === this.chosen);
  }

  #read() {
    const {sweep, title} = this.#preset;
    if (sweep) return {schema: 1, title, ...sweep};
    return {schema: 1, spec: this.specOf(), vary: readVary(byId("vary").value)};
  }

  async #price() {
    if (!this.chosen || this.form.closest("[hidden]")) return;
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    try {
      const answer = await this.plan(this.#read(), asked.signal);
      if (asked !== this.asked) return;
      setText(byId("sweep-cost"), costText(answer));
      this.#refused(null);
    } catch (error) {
      if (asked === this.asked) this.#refused(error);
    }
  }

  #refused(error) {
    if (error?.name === "AbortError") return;
    if (error) setText(byId("sweep-cost"), "");
    const errorLine = byId("vary-field").hidden ? byId("preset-error") : byId("vary-error");
    for (const node of [byId("preset-error"), byId("vary-error")]) {
      setText(node, error && node === errorLine ? errorText(error) : "");
      node.hidden = !node.textContent;
    }
    byId("vary").setAttribute("aria-invalid", String(Boolean(error) && errorLine.id === "vary-error"));
  }

  async #submit(event) {
    event.preventDefault();
    clearTimeout(this.timer);
    byId("run-sweep").disabled = true;
    try {
      await this.run(this.#read(), this.#preset.axis);
      this.#refused(null);
    } catch (error) {
      this.#refused(error);
      if (this.chosen === CUSTOM.name) byId("vary").focus();
    } finally {
      byId("run-sweep").disabled = false;
    }
  }
}
