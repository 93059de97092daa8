// The view of the theory bench: the sweeps there are, and the choice of a new one.

import * as api from "../api.js";
import {byId, setText} from "../lib/dom.js";
import {createPoll} from "../lib/poll.js";
import {Presets} from "../panels/presets.js";
import {RunList} from "../panels/runs.js";
import {ofSweep} from "../panels/sweep.js";
import {FRESH} from "../protocol/address.js";

const POLL_MS = 2000;

/** The view of all sweeps. */
export class Bench {
  constructor(page) {
    Object.assign(this, {page, kind: "bench", title: "Theory bench", isLoaded: false, hasScene: true, speciates: false});
    Object.assign(this, {sweeps: [], offered: false});
    this.presets = new Presets(byId("sweep-form"), {
      plan: api.planSweep,
      run: (sweep, axis) => this.#start(sweep, axis),
      specOf: () => page.form.spec
    });
    this.list = new RunList(byId("sweeps"), {
      describe: ofSweep,
      onCancel: ({id}) => page.act(() => api.cancelSweep(id)),
      onDelete: ({id}) => page.act(() => api.deleteSweep(id))
    });
    this.poll = createPoll(() => this.#ask(), (answer) => this.#take(answer), POLL_MS);
  }

  shows({runId, sweepId, bench}) {
    return runId === null && sweepId === null && bench;
  }

  enter() {
    byId("bench").hidden = false;
    this.poll();
    this.presets.edited();
    this.page.form.edited();
  }

  leave() {
    byId("bench").hidden = true;
  }

  refresh() {
    this.poll();
  }

  /** Say what went wrong above the list. */
  tell(error) {
    setText(byId("sweeps-error"), error?.message ?? "");
    byId("sweeps-error").hidden = !error;
  }

  draw() {
    this.list.show(this.sweeps, this.page.state);
    byId("no-sweeps").hidden = this.sweeps.length > 0;
  }

  drawCursor() {}

  async #start(sweep, axis) {
    const {id} = await api.createSweep(sweep);
    this.page.set({...FRESH, runId: null, sweepId: id, bench: false, ...(axis ? {axis} : {})});
  }

  async #ask() {
    if (this.page.view !== this) return {};
    const presets = this.offered ? null : await api.sweepPresets();
    return {presets, sweeps: await api.sweeps()};
  }

  #take({presets, sweeps}) {
    if (sweeps) this.sweeps = sweeps;
    if (presets) {
      this.offered = true;
      this.presets.offer(presets);
    }
    this.page.drawSoon();
  }
}
