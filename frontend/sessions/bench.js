// Wiring of the theory bench: the list of sweeps, the choice of a new one, and the one that is watched.

import * as api from "../api.js";
import {byId, setText} from "../lib/dom.js";
import {Sprites} from "../events/sprites.js";
import {drawChart} from "../panels/chart.js";
import {Presets} from "../panels/presets.js";
import {RunList} from "../panels/runs.js";
import {linkRuns, ofSweep, showSweep} from "../panels/sweep.js";
import * as widths from "../plots/widths.js";
import {createPoll} from "../lib/poll.js";
import {lineKey, linesHiddenAtFirst, restingStep, sweepScene, unitTime} from "../scenes/sweep.js";
import {SweepSession} from "./sweep.js";
import {widthsOf} from "../scenes/width_scene.js";

const POLL_MS = 2000;
const noSprites = new Sprites();
const CHOICES = ["runId", "sweepId", "bench"];

/**
 * The part of the page that knows sweeps.
 *
 * `page` has store, figure, theme(), the panels scope, legend and checks, the form, and onChange, onStatus(status,
 * waitMs), onError(error), onOpen().
 */
export class Bench {
  constructor(page) {
    Object.assign(this, {page, session: null, sweeps: [], offered: false});
    this.presets = new Presets(byId("sweep-form"), {
      plan: api.planSweep,
      run: (sweep, axis) => this.#start(sweep, axis),
      specOf: () => page.form.spec
    });
    this.list = new RunList(byId("sweeps"), {
      describe: ofSweep,
      onCancel: ({id}) => this.#act(() => api.cancelSweep(id)),
      onDelete: ({id}) => this.#act(() => api.deleteSweep(id))
    });
    byId("sweep-cancel").onclick = () => this.#act(() => api.cancelSweep(this.session.id));
    this.poll = createPoll(() => this.#ask(), (answer) => this.#take(answer), POLL_MS);
  }

  /** Follow the address: watch the sweep that it names, or offer a new one. */
  follow(state, before = {}) {
    linkRuns(state);
    if (CHOICES.every((name) => state[name] === before[name])) return;
    const sweepId = state.runId ? null : state.sweepId;
    byId("bench").hidden = Boolean(state.runId || sweepId || !state.bench);
    document.body.classList.toggle("on-bench", !byId("bench").hidden);
    document.body.classList.toggle("has-sweep", sweepId !== null);
    if (!byId("bench").hidden) {
      this.poll();
      this.presets.edited();
    }
    if (sweepId !== (this.session?.id ?? null)) this.#watch(sweepId);
  }

  /** Whether what is shown has a speciation time to count in. */
  get speciates() {
    return this.session?.sweep?.runs.some((run) => unitTime(run) !== null) ?? false;
  }

  /** Whether there is something to draw: the runs of a sweep may have been deleted one by one. */
  get hasRuns() {
    return Boolean(this.session?.sweep?.runs.length);
  }

  /** Draw the bench or the sweep; tell whether one of them is shown. */
  draw() {
    const state = this.page.store.get();
    const onBench = !byId("bench").hidden;
    byId("sweep-actions").hidden = !this.session?.sweep;
    byId("scaled-axis").hidden = !this.speciates;
    if (onBench) this.#drawBench(state);
    if (!this.session) return onBench;
    document.body.classList.toggle("no-scene", !this.hasRuns);
    if (this.hasRuns) this.#drawSweep(state);
    else if (this.session.sweep) showSweep(this.session.sweep, state, []);
    return true;
  }

  /** Move the cursor; tell whether a sweep is shown. */
  drawCursor() {
    if (!this.hasRuns) return Boolean(this.session);
    const drawn = this.#scene();
    const {step} = this.page.store.get();
    const chosen = step !== null && step < drawn.sigma.length ? step : restingStep(drawn);
    this.page.scope.drawCursor(drawn, chosen);
    return true;
  }

  #drawBench(state) {
    this.list.show(this.sweeps, state);
    byId("no-sweeps").hidden = this.sweeps.length > 0;
  }

  #drawSweep(state) {
    const {sweep, views} = this.session;
    const drawn = this.#scene();
    const {scope, legend, checks} = this.page;
    showSweep(sweep, state, drawn.all);
    legend.show(drawn.all);
    scope.draw(drawn, {sprites: noSprites, followed: []});
    scope.drawProfiles(drawn, drawn.focus?.profiles);
    checks.show(...checksOf(sweep, views, drawn.all));
    this.#drawWidths(drawn, sweep);
    this.drawCursor();
  }

  #drawWidths(drawn, sweep) {
    const shown = widthsOf(drawn, sweep);
    byId("widths").closest("section").hidden = !shown;
    if (!shown) return;
    drawChart(byId("widths"), widths, shown);
  }

  #scene() {
    const {figure, store, theme} = this.page;
    const {sweep, views} = this.session;
    return sweepScene({figure, sweep, views, state: store.get(), theme: theme()});
  }

  #watch(sweepId) {
    const {store, onChange, onStatus, onOpen} = this.page;
    this.session?.close();
    this.session = null;
    if (sweepId === null) return;
    this.session = new SweepSession(sweepId, {
      onOpen: (sweep) => {
        onOpen();
        store.set({hidden: linesHiddenAtFirst(sweep)});
      },
      onChange,
      onStatus,
      onError: (error, again) => this.#failed(error, again)
    });
    this.session.open();
  }

  #failed(error, again) {
    if (api.isPassing(error)) return void setTimeout(again, POLL_MS);
    for (const id of ["run-state", "run-progress"]) setText(byId(id), "");
    setText(byId("run-name"), error.status === 404 ? "No such sweep" : "The sweep cannot be shown");
    setText(byId("run-about"), "It may have been deleted. The sweeps there are stand on the theory bench.");
    this.page.onError(error);
  }

  async #start(sweep, axis) {
    const {id} = await api.createSweep(sweep);
    this.page.store.set({runId: null, sweepId: id, bench: false, ...(axis ? {axis} : {})});
  }

  async #act(request) {
    try {
      await request();
      this.#show(null);
    } catch (error) {
      this.#show(error);
    }
    this.poll();
    this.session?.refresh();
  }

  #show(error) {
    if (byId("bench").hidden) return this.page.onError(error);
    setText(byId("sweeps-error"), error?.message ?? "");
    byId("sweeps-error").hidden = !error;
  }

  async #ask() {
    if (byId("bench").hidden) return {};
    const presets = this.offered ? null : await api.sweepPresets();
    return {presets, sweeps: await api.sweeps()};
  }

  #take({presets, sweeps}) {
    if (sweeps) this.sweeps = sweeps;
    if (presets) {
      this.offered = true;
      this.presets.offer(presets);
    }
    this.page.onChange();
  }
}

/** Return the checks of all runs together, and the name of every line. */
function checksOf(sweep, views, curves) {
  const checks = sweep.runs.flatMap((run) =>
    views[run.id].checks.map((check) => ({...check, name: check.name.replace(/\[(.*)\]$/, (_, key) => `[${lineKey(run, {key})}]`)}))
  );
  return [checks, Object.fromEntries(curves.map(({key, title}) => [key, title]))];
}
