// Presets, the studies of the papers: what each one is, what it costs, how to obtain its model.

import {byId, element, setText} from "../lib/dom.js";
import {afterPrice, count, plural} from "../lib/format.js";

/** Return presets by the paper they are from, in the order they come: [[source, presets], ...]. */
export function bySource(presets) {
  const sources = new Map();
  for (const preset of presets) sources.set(preset.source, [...(sources.get(preset.source) ?? []), preset]);
  return [...sources];
}

/** Return what a preset costs, all of its runs together. */
export function priceText({vary, evaluations, seconds}) {
  const runs = vary ? `${plural(vary.length, "run")}, ` : "";
  return `${runs}${count(evaluations)} evaluations${afterPrice(seconds)}`;
}

/** Return the spec of a preset for one of the models that fit it. */
export const specFor = ({spec}, model) => ({...spec, model});

/** Return a preset with runs to vary as the theory bench takes it. */
export const sweepFor = (preset, model) => ({
  name: preset.name,
  title: preset.title,
  explanation: preset.description,
  axis: preset.axis,
  sweep: {schema: 1, title: preset.title, spec: specFor(preset, model), vary: preset.vary}
});

/**
 * The dialog of presets.
 *
 * `ask()` lists them; `plan(spec)` resolves one; `onRun(spec, axis)` gets a spec without gaps to fill the form with,
 * `onSweep(sweep)` a sweep for the theory bench. Nothing starts by itself.
 */
export class Ready {
  constructor(dialog, {ask, plan, onRun, onSweep, clipboard = navigator.clipboard}) {
    Object.assign(this, {dialog, ask, plan, onRun, onSweep, clipboard, shown: ""});
    byId("ready-open").onclick = () => this.open();
    dialog.addEventListener("click", ({target}) => target === dialog && dialog.close());
  }

  /** Open the dialog and ask anew: models come and go. */
  async open() {
    this.dialog.showModal();
    try {
      this.#show(await this.ask());
      this.#complain(byId("ready-error"), null);
    } catch (error) {
      this.#complain(byId("ready-error"), error);
    }
  }

  /** Show presets; the same ones stay as they are, with what is open and chosen. */
  #show(presets) {
    const text = JSON.stringify(presets);
    if (text === this.shown) return;
    this.shown = text;
    byId("ready-list").replaceChildren(...bySource(presets).map(([source, group]) =>
      element("section", {}, element("h3", {}, source), ...group.map((preset) => this.#item(preset)))
    ));
  }

  #item(preset) {
    const summary = element("summary", {},
      element("span", {className: "ready-title"}, preset.title),
      element("span", {className: "ready-price"}, priceText(preset)));
    const use = preset.available ? this.#offer(preset) : this.#missing(preset);
    const item = element("details", {className: "ready-item"}, summary,
      element("p", {}, preset.description), ...use);
    item.name = "ready"; // one open at a time
    item.dataset.name = preset.name;
    item.classList.toggle("absent", !preset.available);
    return item;
  }

  #offer(preset) {
    const models = element("select", {"aria-label": "Model"},
      ...preset.models.map((value) => element("option", {value}, value)));
    const text = preset.vary ? "Open on the theory bench" : "Fill the form";
    const error = element("p", {className: "error", role: "alert", hidden: true});
    const button = element("button", {type: "button", className: "ready-use"}, text);
    button.onclick = () => this.#use(preset, models.value, error);
    const on = preset.models.length > 1 ? models : element("span", {className: "hint"}, `on ${preset.models[0]}`);
    return [element("div", {className: "ready-go"}, button, on), error];
  }

  #missing({model, how_to_get: lines}) {
    const copy = element("button", {type: "button", className: "quiet"}, "Copy");
    copy.onclick = async () => {
      await this.clipboard.writeText(lines.join("\n"));
      copy.textContent = "Copied";
    };
    copy.hidden = !this.clipboard; // browsers keep it from pages without https
    const said = element("p", {className: "hint"}, "No worker offers ", element("code", {}, model),
      " or a compatible model. To obtain it, run these commands and restart the workers:");
    const commands = element("pre", {tabIndex: 0, "aria-label": `Commands that obtain ${model}`}, lines.join("\n"));
    return [element("div", {className: "ready-missing"}, said, copy), commands];
  }

  async #use(preset, model, errorLine) {
    try {
      if (preset.vary) this.onSweep(sweepFor(preset, model));
      else this.onRun((await this.plan(specFor(preset, model))).spec, preset.axis);
      this.#complain(errorLine, null);
      this.dialog.close();
    } catch (error) {
      this.#complain(errorLine, error);
    }
  }

  #complain(errorLine, error) {
    const details = error?.errors?.map(({field, reason}) => `${field}: ${reason}`) ?? [];
    setText(errorLine, error ? details.join(" ") || error.message : "");
    errorLine.hidden = !error;
  }
}
