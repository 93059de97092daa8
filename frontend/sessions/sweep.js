// One watched sweep: its document, and the view of each of its runs, from its result or folded from its events.

import * as api from "../api.js";
import {emptyView, fold, takeResult} from "../events/fold.js";
import {isFinal} from "../protocol/states.js";
import {unpack} from "../events/frames.js";
import {Stream} from "../events/stream.js";

const REFRESH_MS = 1500;
/** The document holds every run: a large one is asked for more seldom. */
const REFRESH_PER_RUN_MS = 50;
/** The order in which the status of one connection stands for all of them. */
const WORST_FIRST = ["refused", "waiting", "connecting", "live", "finished"];

/** Return what is told of several connections, [status, waitMs]. */
export const worstOf = (told) =>
  [...told].sort(([a], [b]) => WORST_FIRST.indexOf(a) - WORST_FIRST.indexOf(b))[0];

/** Watch a sweep until `close`; listeners are onOpen(sweep), onChange, onStatus(status, waitMs), onError(error, again). */
export class SweepSession {
  constructor(id, listeners) {
    Object.assign(this, {id, listeners, sweep: null, views: {}, closed: false});
    this.streams = new Map();
    this.told = new Map();
  }

  async open() {
    try {
      this.#take(await api.sweep(this.id));
    } catch (error) {
      if (!this.closed) this.listeners.onError(error, () => this.open());
      return;
    }
    if (this.closed) return;
    this.listeners.onOpen(this.sweep);
    for (const run of this.sweep.runs) this.#watch(run);
    this.#refreshLater();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const stream of this.streams.values()) stream.close();
  }

  /** Ask for the document again: states, progress, and whether a run has been deleted. */
  async refresh() {
    try {
      const sweep = await api.sweep(this.id);
      if (!this.closed) this.#take(sweep);
    } catch (error) {
      if (!(error instanceof api.Problem || error instanceof api.Unreachable)) throw error;
    }
    if (!this.closed && this.sweep && !isFinal(this.sweep.state)) this.#refreshLater();
  }

  #refreshLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), Math.max(REFRESH_MS, REFRESH_PER_RUN_MS * this.sweep.runs.length));
  }

  #take(sweep) {
    this.sweep = sweep;
    for (const run of sweep.runs) this.views[run.id] ??= emptyView(run);
    this.listeners.onChange();
  }

  /** A finished run is read at once, any other followed; so is one whose result cannot be had. */
  async #watch(run) {
    if (run.state === "done" && (await this.#read(run.id))) return;
    if (!this.closed) this.streams.set(run.id, this.#follow(run.id));
  }

  #follow(id) {
    return new Stream((after) => api.eventsUrl(id, after), {
      onEvent: (event) => this.#event(id, event),
      onFrame: (buffer) => unpack(buffer).header.id,
      onStatus: (status, waitMs) => this.#status(id, status, waitMs)
    });
  }

  #status(id, status, waitMs) {
    if (status === "unknown") return void this.refresh(); // a run of the sweep has been deleted
    this.told.set(id, [status, waitMs]);
    this.listeners.onStatus(...worstOf(this.told.values()));
  }

  #event(id, event) {
    fold(this.views[id], event);
    if (event.type === "done") this.#read(id).then(() => this.refresh());
    this.listeners.onChange();
  }

  /** The result has what events do not: the profiles of the classes. */
  async #read(id) {
    try {
      takeResult(this.views[id], await api.result(id));
    } catch (error) {
      if (error instanceof api.Problem || error instanceof api.Unreachable) return false;
      throw error;
    }
    if (!this.closed) this.listeners.onChange();
    return true;
  }
}
