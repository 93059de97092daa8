// The form: what to measure, what it will cost, and what is wrong with it, before Run is pressed.

import {colour} from "../lib/colour.js";
import {byId, element, setText} from "../lib/dom.js";
import {afterPrice, count, number} from "../lib/format.js";
import {Advanced} from "./advanced.js";
import {Decisions} from "./decisions.js";
import {focusFirstError, showErrors} from "./fields.js";
import {Params} from "./params.js";
import {helpFields, showIfKnown} from "./help.js";
import {Levels} from "./levels.js";
import {studiesOf} from "../protocol/studies.js";
import {dataText, isRest, preferred, specOf, typedWeights, USUAL_DECODE, weightsText} from "../protocol/spec.js";

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
  constructor({plan, run, onPlan, figure, schema}) {
    const form = byId("form");
    const empty = {models: [], touched: new Set(), placed: null, timer: null, asked: null, sending: false};
    Object.assign(this, {form, plan, run, onPlan, schema, ...empty});
    const named = [...form.querySelectorAll("input[name]:not([type=radio])")];
    this.inputs = new Map(named.map((input) => [input.name, input]));
    this.params = new Params(byId("params"), () => this.edited());
    this.advanced = new Advanced(byId("advanced"), () => this.edited());
    this.levels = new Levels();
    helpFields(form, schema);
    showIfKnown(form, schema, "companions");
    this.decisions = new Decisions(byId("decisions"), {
      colour: (index) => colour(figure, index),
      onChange: () => this.edited()
    });
    form.addEventListener("input", ({target}) => this.#typed(target));
    form.elements.model.addEventListener("change", () => this.#chosen());
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
    this.#offerPaths();
  }

  /** Show a spec, so that it can be run again or changed. */
  fill(spec) {
    this.form.elements.model.value = spec.model;
    this.#chosen(spec.params);
    this.decisions.fill(spec.partitions);
    this.#showPrior(spec.prior);
    this.form.elements.paths_from.value = spec.paths_from ?? "model";
    this.form.elements.paired.value = String(spec.previews?.paired ?? "");
    this.form.elements.decode.value = USUAL_DECODE === spec.previews?.decode ? "" : spec.previews?.decode ?? "";
    for (const [name, input] of this.inputs) input.value = at(spec, name) ?? "";
    for (const name of FROM_MODEL) this.touched.add(name);
    this.#place(spec.schedule.sigmas ?? null);
    this.#offerAdvanced();
    this.advanced.show(spec);
    this.edited();
  }

  /** Ask for the cost again, soon. */
  edited() {
    byId("weights").hidden = !this.#weighted;
    this.#offerAdvanced();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#price(), DEBOUNCE_MS);
  }

  /** The spec as it is filled in, whether or not it holds. */
  get spec() {
    return this.#read();
  }

  get model() {
    return this.models.find(({name}) => name === this.form.elements.model.value) ?? null;
  }

  get #weighted() {
    return this.form.elements.prior.value === "given";
  }

  #read() {
    const kept = [...this.inputs].filter(([name]) => !FROM_MODEL.includes(name) || this.touched.has(name));
    const fields = Object.fromEntries(kept.map(([name, input]) => [name, input.value]));
    return specOf({
      studies: studiesOf(fields),
      model: this.form.elements.model.value,
      params: this.params.read(),
      partitions: this.decisions.read(),
      prior: this.#weighted ? typedWeights(byId("weights").value) : this.form.elements.prior.value,
      paths: this.form.elements.paths_from.value,
      paired: this.form.elements.paired.value,
      decode: this.form.elements.decode.value,
      advanced: this.advanced.read(String(this.placed?.[0] ?? this.inputs.get("schedule.sigma_max").value)),
      sigmas: this.placed,
      fields
    });
  }

  /** Keep noise levels that were given one by one, until a schedule is typed or another model chosen. */
  #place(sigmas) {
    this.placed = sigmas;
    const hints = sigmas ? [`${sigmas.length} placed`, number(sigmas[0]), number(sigmas.at(-1)), ""] : ["", "", "", ""];
    FROM_MODEL.forEach((name, i) => { this.inputs.get(name).placeholder = hints[i]; });
  }

  #typed({name, value}) {
    if (this.placed && FROM_MODEL.includes(name)) this.#place(null);
    if (value === "") this.touched.delete(name);
    else if (name) this.touched.add(name);
    if (this.inputs.has(name) || ["prior", "weights", "paths_from", "paired", "decode"].includes(name)) this.edited();
  }

  #chosen(params) {
    this.touched.clear();
    this.form.elements.paired.value = "";
    this.form.elements.decode.value = "";
    this.form.querySelector("[data-field='previews.decode']").hidden = !this.model?.decodes;
    this.#place(null);
    this.decisions.call(this.model?.label_kind === "prompts" ? "prompt" : "class");
    this.params.show(this.model?.params_schema ?? null, params);
    if (!this.#knowModel()) this.decisions.know({labels: [], presets: []});
    setText(byId("model-about"), this.model?.description ?? "");
    this.#offerPaths();
    this.edited();
  }

  #offerAdvanced() {
    const rest = Object.values(this.decisions.read()).some(isRest);
    this.advanced.offer(this.schema, this.model, rest);
  }

  /** Labelled data are offered where the model has some. */
  #offerPaths() {
    const {paths_from: select} = this.form.elements;
    const data = this.model?.data ?? null;
    byId("paths-field").hidden = data === null;
    if (data === null) select.value = "model";
    else setText(select.options[1], dataText(data));
  }

  async #price() {
    if (!this.model) return;
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      await this.#know(this.asked.signal);
      this.#priced(await this.plan(this.#read(), this.asked.signal));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Learn the labels where the form needs them; with parameters only a plan tells them. */
  async #know(signal) {
    if (this.#knowModel() || !(this.decisions.needLabels || this.#weighted)) return this.#offerWeights();
    const {labels, presets} = await this.plan({...this.#read(), partitions: {classes: null}, prior: "model"}, signal);
    this.decisions.know({labels, presets});
    this.#offerWeights();
  }

  /** Take labels and presets from the model; return whether it has labels of its own. */
  #knowModel() {
    const {labels, presets} = this.model ?? {labels: [], presets: []};
    if (labels.length) this.decisions.know({labels, presets});
    return labels.length > 0;
  }

  /** Begin with equal weights of all labels; those typed stay while the labels do. */
  #offerWeights() {
    const {labels} = this.decisions;
    const area = byId("weights");
    if (!this.#weighted || !labels.length || area.dataset.labels === JSON.stringify(labels)) return;
    const typedAlready = Object.keys(typedWeights(area.value));
    const kept = typedAlready.length > 0 && typedAlready.every((label) => labels.includes(label));
    if (!kept) area.value = weightsText(labels.map((label) => [label, 1]));
    area.dataset.labels = JSON.stringify(labels);
  }

  #showPrior(prior) {
    const weighted = typeof prior !== "string";
    this.form.elements.prior.value = weighted ? "given" : prior;
    if (weighted) byId("weights").value = weightsText(Object.entries(prior));
  }

  #priced(answer) {
    showErrors(this.form, []);
    if (!this.model?.labels.length) this.decisions.know({labels: this.decisions.labels, presets: answer.presets});
    for (const name of FROM_MODEL) {
      if (!this.touched.has(name)) this.inputs.get(name).value = at(answer.spec, name);
    }
    this.levels.offer(answer.sigma);
    this.inputs.get("companions").placeholder = at(answer.spec, "companions") ?? ""; // what is taken where it is left out
    const {evaluations, seconds} = answer.cost;
    setText(byId("cost"), `${count(evaluations)} evaluations${afterPrice(seconds)}`);
    this.onPlan(answer);
  }

  #refused(error) {
    if (error.name === "AbortError") return;
    setText(byId("cost"), "");
    showErrors(this.form, error.errors?.length ? error.errors : [{field: "", reason: error.message}]);
  }

  async #submit(event) {
    event.preventDefault();
    if (this.sending) return; // the button keeps the focus: it is not disabled
    clearTimeout(this.timer);
    this.sending = true;
    try {
      await this.run(this.#read());
      showErrors(this.form, []);
      this.edited(); // Run may have been faster than the first plan
    } catch (error) {
      this.#refused(error);
      focusFirstError(this.form);
    } finally {
      this.sending = false;
    }
  }
}

const at = (spec, name) => name.split(".").reduce((node, key) => node?.[key], spec);
