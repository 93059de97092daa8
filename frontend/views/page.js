// What all views share: the state of the page and its address, what is known of the server, and when to draw.

import * as api from "../api.js";
import {byId} from "../lib/dom.js";
import {createDrawLoop} from "../lib/draw_loop.js";
import {createStore} from "../lib/store.js";
import {showConnection} from "../panels/connection.js";
import {showFailure, showFrame, showRequestError, showTools} from "../panels/frame.js";
import {RunList} from "../panels/runs.js";
import {FRESH, parseHash, pathOf, shownAxis} from "../protocol/address.js";
import {Feed} from "../sessions/feed.js";
import {bindAddress} from "./address_bar.js";

const CHARTS_PER_SECOND = 15;
const CURSOR_PER_SECOND = 60;
const RETRY_MS = 1500;

/**
 * The page, showing one view at a time.
 *
 * A view has shows(state), whether it is the one for a state; enter(state) and leave(); kind, title, isLoaded, hasScene
 * and speciates for the frame around it; draw() and drawCursor(). It may have changed(state), refresh(), pointerLeft()
 * and tell(error).
 */
export class Page {
  constructor({figure, schema}) {
    Object.assign(this, {figure, schema, views: [], view: null, form: null, planned: null});
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.store = createStore(parseHash(location.hash));
    this.drawSoon = createDrawLoop(() => this.#draw(), CHARTS_PER_SECOND);
    this.drawCursorSoon = createDrawLoop(() => this.view.drawCursor(), CURSOR_PER_SECOND);
    this.feed = new Feed({
      onChange: () => this.#heard(),
      onModels: (models) => this.form.offer(models),
      onReturn: () => this.form.edited()
    });
    this.runs = new RunList(byId("runs"), {
      onCancel: ({id}) => this.act(() => api.cancelRun(id)),
      onDelete: ({id}) => this.act(() => this.#remove(id))
    });
  }

  /** Show the first of the views that is for the address, from now on. */
  open(views, form) {
    Object.assign(this, {views, form});
    this.store.subscribe((state, before) => this.#changed(state, before));
    bindAddress(this.store, window);
    byId("tools").addEventListener("change", ({target}) => this.set({[target.name]: choiceOf(target)}));
    byId("skip").onclick = () => byId("stack").focus();
    this.dark.addEventListener("change", this.drawSoon);
    new ResizeObserver(this.drawSoon).observe(byId("stack"));
    this.#enter();
    this.feed.start();
  }

  get state() {
    return this.store.get();
  }

  get theme() {
    return this.dark.matches ? "dark" : "light";
  }

  set(patch) {
    this.store.set(patch);
  }

  go(runId, baseId = null) {
    this.set({...FRESH, runId, baseId});
  }

  /** Start a run and show it. */
  async start(spec) {
    const {id} = await api.createRun(spec);
    this.go(id);
    this.feed.askRuns();
  }

  /** Do what a viewer asks for; what is refused is said, and everything is asked for anew. */
  async act(request) {
    try {
      await request();
      this.tell(null);
    } catch (error) {
      this.tell(error);
    }
    this.feed.askRuns();
    this.view.refresh?.();
  }

  /** Say what went wrong, where the view has a place for it or in the head; null takes it away. */
  tell(error) {
    if (this.view.tell) this.view.tell(error);
    else showRequestError(error);
  }

  /** Tell that something cannot be shown; where that may pass, try again instead. */
  failed(noun, error, again) {
    if (api.isPassing(error)) return void setTimeout(again, RETRY_MS);
    showFailure(noun, error);
  }

  /** Take the status of the events that a view follows. */
  streaming(status, waitMs) {
    if (status === "unknown") this.tell(new Error("This run has been deleted."));
    this.feed.streaming(status, waitMs);
  }

  async #remove(id) {
    await api.deleteRun(id);
    if (this.state.runId === id) this.go(null);
  }

  #enter() {
    this.view?.leave();
    this.feed.connection.stream = null;
    this.view = this.views.find((view) => view.shows(this.state));
    showRequestError(null);
    this.view.enter(this.state);
    this.drawSoon();
  }

  #changed(state, before) {
    if (pathOf(state) !== pathOf(before)) this.#enter();
    this.view.changed?.(state);
    const onlyStep = Object.keys(state).every((name) => name === "step" || state[name] === before[name]);
    if (onlyStep) this.drawCursorSoon();
    else this.drawSoon();
  }

  #heard() {
    showConnection(this.feed.connection, this.feed.workers);
    this.drawSoon();
  }

  #draw() {
    const {view, state} = this;
    showFrame(view);
    showTools({...state, axis: shownAxis(state, view.speciates)}, view.speciates);
    this.runs.show(this.feed.runs, state);
    byId("no-runs").hidden = this.feed.runs.length > 0;
    view.draw();
  }
}

const choiceOf = ({type, checked, value}) => (type === "checkbox" ? (checked ? "yes" : "no") : value);
