// One watched run: its document, its view folded from its events, its pictures.

import * as api from "../api.js";
import {emptyView, fold, replaced} from "../events/fold.js";
import {FINAL, isFinal} from "../protocol/states.js";
import {unpack} from "../events/frames.js";
import {Sprites} from "../events/sprites.js";
import {Stream} from "../events/stream.js";

const REFRESH_MS = 1000;

/** Watch a run until `close`; listeners are onChange, onPicture, onStatus(status, waitMs), onError(error). */
export class RunSession {
  constructor(id, listeners) {
    const empty = {run: null, view: null, stream: null, closed: false, profiles: {}, other: null, studies: null};
    Object.assign(this, {id, listeners, ...empty});
    this.sprites = new Sprites(() => !this.closed && listeners.onPicture());
  }

  async open() {
    try {
      this.#take(await api.run(this.id));
    } catch (error) {
      if (!this.closed) this.listeners.onError(error, () => this.open());
      return;
    }
    if (this.closed) return;
    this.stream = new Stream((after) => api.eventsUrl(this.id, after), {
      onEvent: (event) => this.#event(event),
      onFrame: (buffer) => this.#frame(buffer),
      onStatus: (status, waitMs) => this.listeners.onStatus(status, waitMs)
    });
    this.#refreshLater();
    if (this.run.extends) this.#takePictures(this.run.extends);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.stream?.close();
    this.pictures?.close();
  }

  /** Show each-vs-rest at another prior of the class, or at the run's own (null). */
  async choosePrior(prior) {
    this.other = prior === null ? null : replaced(this.view, await api.resultAt(this.id, prior));
    if (!this.closed) this.listeners.onChange();
  }

  /** The view that is drawn: the run's, or that at another prior. */
  get shown() {
    return this.other ?? this.view;
  }

  profilesOf(key) {
    return this.other?.curves[key]?.profiles ?? this.profiles[key];
  }

  /** Ask for the run's document again: its progress and the time that is left. */
  async refresh() {
    try {
      this.#take(await api.run(this.id));
    } catch (error) {
      if (!isOfServer(error)) throw error;
    }
    if (!this.closed && this.run && !isFinal(this.run.state)) this.#refreshLater();
  }

  #refreshLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  #take(run) {
    this.run = run;
    this.view ??= emptyView(run);
    if (!this.closed) this.listeners.onChange();
  }

  #event(event) {
    fold(this.view, event);
    if (FINAL.includes(event.type)) this.#finish();
    this.listeners.onChange();
  }

  #frame(buffer) {
    const frame = unpack(buffer);
    this.sprites.add(frame);
    this.listeners.onPicture();
    this.listeners.onChange();
    return frame.header.id;
  }

  /** Pictures are of the first batch: an extended run shows those of the run that it extends, while that is there. */
  async #takePictures(id) {
    try {
      const {extends: earlier} = await api.run(id);
      if (earlier) return this.#takePictures(earlier);
    } catch (error) {
      if (!isOfServer(error)) throw error;
      return;
    }
    if (this.closed) return;
    const nothing = () => {};
    const listeners = {onEvent: nothing, onStatus: nothing, onFrame: (buffer) => this.#frame(buffer)};
    this.pictures = new Stream((after) => api.eventsUrl(id, after), listeners);
  }

  /** A finished run has a result; the profiles in it are too large for the events. */
  async #finish() {
    await this.refresh();
    if (this.closed || this.view.batches === 0) return;
    try {
      const {curves, studies} = await api.result(this.id);
      this.studies = studies;
      for (const [key, {profiles}] of Object.entries(curves)) this.profiles[key] = profiles;
      if (!this.closed) this.listeners.onChange();
    } catch (error) {
      if (!isOfServer(error)) throw error;
    }
  }
}

/** Whether an error is the server's: the page goes on with what it has. */
const isOfServer = (error) => error instanceof api.Problem || error instanceof api.Unreachable;
