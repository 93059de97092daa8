// The form: what to measure, what it will cost, and what is wrong with it, before Run is pressed.

import {byId, element, setText} from "../dom.js";
import {count, duration} from "../format.js";
import {focusFirstError, showErrors} from "./fields.js";
import {Groups} from "./groups.js";
import {Params} from "./params.js";
import {offerLevels, studiesOf, wireLevels} from "./studies.js";
import {modeOf, preferred, specOf} from "./values.js";

const DEBOUNCE_MS = 250;
/** What the model decides until the user does. */
const FROM_MODEL = ["schedule.steps", "schedule.sigma_max", "schedule.sigma_min", "schedule.rho"];

/**
 * The form of a new run.
 *
 * `plan(spec, signal)` asks for the cost and `run(spec)` starts it; both reject with `errors`, each with the
 * field it belongs to. `onPlan(answer)` is told what would be measured.
 */
export class Form {
  constructor(form, {plan, run, onPlan, colour}) {
    Object.assign(this, {form, plan, run, onPlan, models: [], touched: new Set(), timer: null, asked: null});
    const named = [...form.querySelectorAll("input[name]:not([type=radio])")];
    this.inputs = new Map(named.map((input) => [input.name, input]));
    this.params = new Params(byId("params"), () => this.edited());
    this.groups = new Groups(byId("groups"), {colour, onChange: () => this.edited()});
    form.addEventListener("input", ({target}) => this.#typed(target));
    form.elements.model.addEventListener("change", () => this.#chosen());
    wireLevels();
    form.addEventListener("submit", (event) => this.#submit(event));
  }

  /** Offer the models that workers announce. */
  offer(models) {
    const select = this.form.elements.model;
    const before = select.value;
    this.models = models;
    const options = models.map(({name, title, available}) =>
      element("option", {value: name}, available ? title : `${title} (no worker)`)
    );
    select.replaceChildren(...options);
    select.value = models.some(({name}) => name === before) ? before : preferred(models);
    if (select.value !== before) this.#chosen();
  }

  /** Show a spec, so that it can be run again or changed. */
  fill(spec) {
    this.form.elements.model.value = spec.model;
    this.#chosen(spec.params);
    this.form.elements.mode.value = modeOf(spec.partitions);
    this.form.elements.prior.value = typeof spec.prior === "string" ? spec.prior : "model";
    for (const [name, input] of this.inputs) input.value = at(spec, name) ?? "";
    for (const name of FROM_MODEL) this.touched.add(name);
    const groups = Object.values(spec.partitions).find(Array.isArray);
    if (groups) this.groups.show(this.model?.labels ?? [], structuredClone(groups));
    this.edited();
  }

  /** Ask for the cost again, soon. */
  edited() {
    byId("groups-field").hidden = this.mode !== "groups";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#price(), DEBOUNCE_MS);
  }

  get model() {
    return this.models.find(({name}) => name === this.form.elements.model.value) ?? null;
  }

  get mode() {
    return this.form.elements.mode.value;
  }

  #read() {
    const kept = [...this.inputs].filter(([name]) => !FROM_MODEL.includes(name) || this.touched.has(name));
    const fields = Object.fromEntries(kept.map(([name, input]) => [name, input.value]));
    return specOf({
      studies: studiesOf(fields),
      model: this.form.elements.model.value,
      params: this.params.read(),
      mode: this.mode,
      groups: this.groups.read(),
      prior: this.form.elements.prior.value,
      fields
    });
  }

  #typed({name, value}) {
    if (value === "") this.touched.delete(name);
    else if (name) this.touched.add(name);
    if (this.inputs.has(name) || name === "prior" || name === "mode") this.edited();
  }

  #chosen(params) {
    this.touched.clear();
    this.params.show(this.model?.params_schema ?? null, params);
    setText(byId("model-about"), this.model?.description ?? "");
    this.edited();
  }

  async #price() {
    if (!this.model) return;
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      if (this.mode === "groups") this.groups.show(await this.#allLabels(this.asked.signal));
      this.#priced(await this.plan(this.#read(), this.asked.signal));
    } catch (error) {
      this.#refused(error);
    }
  }

  async #allLabels(signal) {
    if (this.model.labels.length) return this.model.labels;
    return (await this.plan({...this.#read(), partitions: {classes: null}}, signal)).labels;
  }

  #priced(answer) {
    showErrors(this.form, []);
    for (const name of FROM_MODEL) {
      if (!this.touched.has(name)) this.inputs.get(name).value = at(answer.spec, name);
    }
    offerLevels(answer.sigma);
    const {evaluations, seconds} = answer.cost;
    const time = duration(seconds);
    setText(byId("cost"), `${count(evaluations)} evaluations${time ? `, about ${time}` : ""}`);
    this.onPlan(answer);
  }

  #refused(error) {
    if (error.name === "AbortError") return;
    setText(byId("cost"), "");
    showErrors(this.form, error.errors?.length ? error.errors : [{field: "", reason: error.message}]);
  }

  async #submit(event) {
    event.preventDefault();
    const button = byId("run");
    clearTimeout(this.timer);
    button.disabled = true;
    try {
      await this.run(this.#read());
      showErrors(this.form, []);
      this.edited(); // Run may have been faster than the first plan
    } catch (error) {
      this.#refused(error);
      focusFirstError(this.form);
    } finally {
      button.disabled = false;
    }
  }
}

const at = (spec, name) => name.split(".").reduce((node, key) => node?.[key], spec);
