// The view of one sweep: all of its runs in the same charts.

import * as api from "../api.js";
import {Sprites} from "../events/sprites.js";
import {byId} from "../lib/dom.js";
import {showMoreSteps} from "../panels/more_steps.js";
import {linkRuns, showSweep} from "../panels/sweep.js";
import {showWidths} from "../panels/widths.js";
import {chartKey} from "../scenes/chart_key.js";
import {lineKey, restingStep, sweepScene, unitTime} from "../scenes/sweep.js";
import {widthsOf} from "../scenes/width_scene.js";
import {SweepSession} from "../sessions/sweep.js";

/** The view of the sweep that the address names. */
export class SweepView {
  constructor(page, charts) {
    Object.assign(this, {page, charts, session: null, kind: "sweep", noSprites: new Sprites()});
    byId("sweep-cancel").onclick = () => page.act(() => api.cancelSweep(this.session.id));
  }

  shows({runId, sweepId}) {
    return runId === null && sweepId !== null;
  }

  get title() {
    return this.session?.sweep?.title ?? "";
  }

  get isLoaded() {
    return Boolean(this.session?.sweep);
  }

  /** Whether there is something to draw: the runs of a sweep may have been deleted one by one. */
  get hasScene() {
    return Boolean(this.session?.sweep?.runs.length);
  }

  /** Whether there is a speciation time to count in. */
  get speciates() {
    return this.session?.sweep?.runs.some((run) => unitTime(run) !== null) ?? false;
  }

  enter({sweepId}) {
    this.session = new SweepSession(sweepId, {
      onOpen: () => this.page.tell(null),
      onChange: this.page.drawSoon,
      onStatus: (status, waitMs) => this.page.streaming(status, waitMs),
      onError: (error, again) => this.page.failed("sweep", error, again)
    });
    this.session.open();
  }

  leave() {
    this.session.close();
    this.session = null;
    this.charts.clear();
  }

  refresh() {
    this.session.refresh();
  }

  changed(state) {
    linkRuns(state);
  }

  draw() {
    if (this.hasScene) this.#drawRuns();
    else if (this.isLoaded) showSweep(this.session.sweep, this.page.state, []);
  }

  drawCursor() {
    if (!this.hasScene) return;
    const scene = this.#scene();
    const {step} = this.page.state;
    this.charts.scope.drawCursor(scene, step !== null && step < scene.sigma.length ? step : restingStep(scene));
  }

  #drawRuns() {
    const {sweep, views} = this.session;
    const {scope, legend, checks} = this.charts;
    const scene = this.#scene();
    showSweep(sweep, this.page.state, scene.all);
    legend.show(scene.all);
    this.charts.key.show(chartKey(scene), scene.focus?.color);
    showMoreSteps("", null);
    scope.draw(scene, {sprites: this.noSprites, followed: []});
    scope.drawProfiles(scene, scene.focus?.profiles);
    checks.show(...checksOf(sweep, views, scene.all));
    showWidths(widthsOf(scene, sweep));
    this.drawCursor();
  }

  #scene() {
    const {figure, state, theme} = this.page;
    const {sweep, views} = this.session;
    return sweepScene({figure, sweep, views, state, theme});
  }
}

/** Return the checks of all runs together, and the name of every line. */
function checksOf(sweep, views, curves) {
  const checks = sweep.runs.flatMap((run) =>
    views[run.id].checks.map((check) => ({...check, name: check.name.replace(/\[(.*)\]$/, (_, key) => `[${lineKey(run, {key})}]`)}))
  );
  return [checks, Object.fromEntries(curves.map(({key, title}) => [key, title]))];
}
