// A guided run beside its unguided twin: what guidance changes, and where.

import {byId, element, setText} from "../lib/dom.js";
import {count} from "../lib/format.js";
import {guidanceText} from "../protocol/guidance.js";
import {shownEnds} from "../plots/axes.js";
import {colour} from "../lib/colour.js";
import * as entropyDifference from "../plots/entropy_difference.js";
import * as redistribution from "../plots/redistribution.js";
import {leadingTo} from "../protocol/address.js";
import {drawPointedChart, sizeOf} from "./chart.js";
import {decision} from "../protocol/decision.js";

const MOST_CHIPS = 24;

/** Return the curves of one redistribution: its own, or all of a partition of each class against the rest. */
export function differencesOf({curves}, name) {
  return curves[name] ? [curves[name]] : Object.values(curves).filter(({partition}) => partition === name);
}

/** Return the classes of a redistribution, those that change most first. */
export const byChange = ({classes}) =>
  [...classes].sort((a, b) => Math.max(...sizes(b)) - Math.max(...sizes(a)));

const sizes = ({production}) => production.map((rate) => Math.abs(rate ?? 0));

/** Return how many trajectories were compared, in words. */
export function aboutText({trajectories}, {classes}) {
  const [least, most] = [Math.min, Math.max].map((pick) => pick(...classes.map(({n}) => n)));
  const some = least === most ? count(least) : `${count(least)} to ${count(most)}`;
  const each = least === trajectories ? "all for" : `${some} of`; // each against the rest, or true labels
  return `${count(trajectories)} trajectories with the same noise, ${each} each of ${classes.length} classes`;
}

const stageOf = ({state, progress}) => `${state}, ${count(progress.trajectories)} of ${count(progress.total)} trajectories`;

/** Show comparisons in an element; `urlOf(run, base)` is where the document is had, `onChange()` asks for a drawing. */
export class Comparison {
  constructor(container, {urlOf, onChange}) {
    Object.assign(this, {container, urlOf, onChange, session: null, document: null, runs: null});
    this.#make();
  }

  /** Draw a session: what is waited for, then what both runs differ in. */
  draw(session, {figure, theme, state}) {
    if (session !== this.session || session.document !== this.document) this.#take(session);
    this.runs = session.runs;
    this.figure.hidden = session.failed || !this.document;
    if (session.failed) return;
    this.#words(state);
    if (!this.document) return;
    const charts = [[this.production, redistribution], [this.entropy, entropyDifference]];
    const {axis, unit} = state;
    const sizes = charts.map(([chart]) => sizeOf(chart));
    const wanted = JSON.stringify([session.pair, this.name, [...this.shown], theme, axis, unit, sizes]);
    if (wanted === this.drawn) return; // what is pointed at stays so
    this.drawn = wanted;
    const scene = this.#scene(figure, theme, state);
    this.#showChips(scene);
    setText(this.summary, redistribution.summary({...scene, per: figure.axes[axis].per}));
    for (const [chart, plot] of charts) drawPointedChart(chart, plot, scene);
  }

  /** Begin with the first redistribution of a comparison. */
  #take(session) {
    Object.assign(this, {session, document: session.document, name: null, shown: new Set(), drawn: ""});
    if (this.document) this.#offer();
  }

  #scene(figure, theme, {axis, unit}) {
    const {sigma, guidance, redistributions} = this.document;
    const {labels} = this.runs[0];
    const colorOf = (label) => (labels.includes(label) ? colour(figure, labels.indexOf(label), labels.length) : null);
    const interval = guidance.run && (guidance.run.interval ?? [sigma.at(-1), sigma[0]]);
    return {
      figure, theme, axis, unit, sigma, interval, colorOf, shown: this.shown,
      ends: shownEnds(sigma, null),
      redistribution: redistributions[this.name],
      differences: differencesOf(this.document, this.name)
    };
  }

  #words(state) {
    const [run, base] = this.runs ?? [];
    setText(byId("run-name"), "What guidance changes");
    setText(byId("run-state"), this.document ? "" : "waiting");
    if (!run) return;
    setText(byId("run-about"), `${run.title}, ${decision(run)}: ${guidanceText(run.spec.guidance)}, less the same paths ${guidanceText(base.spec.guidance) || "unguided"}`);
    setText(byId("run-progress"), this.document
      ? aboutText(this.document, this.document.redistributions[this.name])
      : `guided run ${stageOf(run)}; unguided run ${stageOf(base)}`);
    const {pair} = this.session;
    pair.forEach((id, i) => { this.links[i].href = leadingTo(state, {runId: id, baseId: null}); });
    this.download.href = this.urlOf(...pair);
    this.download.hidden = !this.document;
  }

  #make() {
    this.links = ["guided run", "unguided run"].map((text) => element("a", {}, text));
    this.download = element("a", {download: "entroscope-comparison.json"}, "JSON");
    this.choice = element("select", {"aria-label": "Decision", onchange: () => {
      Object.assign(this, {name: this.choice.value, shown: new Set()});
      this.#makeChips();
      this.onChange();
    }});
    this.every = element("button", {type: "button", onclick: () => this.#toggleAll()}, "Show each class");
    this.chips = element("div", {className: "classes", role: "group", "aria-label": "Classes"});
    this.summary = element("p", {className: "comparison-summary"});
    const charts = ["redistribution", "entropy-difference"].map((id) => element("div", {className: "chart", id}));
    [this.production, this.entropy] = charts;
    this.figure = element(
      "div", {className: "comparison", hidden: true},
      element("div", {className: "comparison-tools"}, this.choice, this.every, this.chips),
      this.summary,
      ...charts.map((chart) => element("div", {className: "plot"}, chart)),
      this.#legend()
    );
    this.container.replaceChildren(element("p", {className: "comparison-tools"}, ...this.links, this.download), this.figure);
  }

  #legend() {
    const entries = [["gain", "production is higher with guidance"], ["loss", "production is lower with guidance"],
      ["bound", "25th to 75th percentile of the classes, line: median"], ["window", "guided interval"]];
    this.swatches = entries.map(([name]) => element("span", {className: "swatch", "data-color": name}));
    return element("ul", {className: "comparison-legend"}, ...entries.map(([, text], i) => element("li", {}, this.swatches[i], text)));
  }

  #offer() {
    const names = Object.keys(this.document.redistributions);
    const options = names.map((value) => element("option", {value}, this.document.redistributions[value].title));
    this.choice.replaceChildren(...options);
    this.choice.hidden = names.length < 2;
    this.name = names[0];
    this.#makeChips();
  }

  /** The classes that change most, as buttons. */
  #makeChips() {
    const classes = byChange(this.document.redistributions[this.name]).slice(0, MOST_CHIPS);
    this.chips.replaceChildren(...classes.map(({label}) =>
      element(
        "button",
        {type: "button", className: "curve", "data-label": label, onclick: () => this.#toggle(label)},
        element("span", {className: "swatch"}),
        label
      )
    ));
  }

  #showChips({figure, theme, colorOf}) {
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(this.shown.has(chip.dataset.label)));
      chip.firstChild.style.background = colorOf(chip.dataset.label);
    }
    setText(this.every, this.shown.size ? "Hide the classes" : "Show each class");
    for (const swatch of this.swatches) swatch.style.background = figure[theme].colors[swatch.dataset.color];
  }

  #toggle(label) {
    if (!this.shown.delete(label)) this.shown.add(label);
    this.onChange();
  }

  #toggleAll() {
    const {classes} = this.document.redistributions[this.name];
    this.shown = this.shown.size ? new Set() : new Set(classes.map(({label}) => label));
    this.onChange();
  }
}
