// The fold of a run's events: from its document and its log to what the page shows.

import {COMBINED_ARRAYS, QUANTITIES, withError} from "../protocol/quantities.js";
import {isFinal} from "../protocol/states.js";

/** What a document of a curve may leave out, and must then not be kept from one before. */
const ABSENT = Object.fromEntries(COMBINED_ARRAYS.map((name) => [name, null]));
const ARRAYS = [...QUANTITIES.flatMap(({name}) => withError(name)), "n", "entropy_step_error"];

/** Return the view of a run before its first event. */
export function emptyView(run) {
  const steps = run.sigma.length;
  return {
    id: run.id,
    state: run.state,
    sigma: run.sigma,
    labels: run.labels,
    curves: Object.fromEntries(run.curves.map((curve) => [curve.key, emptyCurve(curve, steps)])),
    windows: {},
    checks: [],
    batches: 0,
    trajectories: 0,
    newest: null,
    worker: null,
    position: null,
    reason: run.reason
  };
}

/** Apply one event to the view, in place: thousands may arrive in a second. */
export function fold(view, event) {
  HANDLERS[event.type]?.(view, event);
  return view;
}

/** Take the result of a finished run into its view, in place. */
export function takeResult(view, {curves, windows, checks}) {
  for (const [key, document] of Object.entries(curves)) setCurve(view.curves[key], document);
  for (const window of windows) view.windows[window.curve] = window;
  Object.assign(view, {state: "done", checks});
}

/** Return the view with the curves and windows of a result in place of its own. */
export function replaced(view, {curves, windows}) {
  const shown = {...view, curves: {...view.curves}, windows: {...view.windows}};
  for (const [key, document] of Object.entries(curves)) {
    shown.curves[key] = {...view.curves[key]};
    setCurve(shown.curves[key], document);
  }
  for (const window of windows) shown.windows[window.curve] = window;
  return shown;
}

const HANDLERS = {
  queued(view, {position}) {
    if (!isFinal(view.state)) Object.assign(view, {state: "queued", position});
  },
  started(view, {worker, device, batch}) {
    Object.assign(view, {state: "running", worker: {name: worker, device, batch}});
  },
  point(view, {batch, step, curves}) {
    if (!isFinal(view.state)) view.state = "running";
    view.newest = {batch, step};
    for (const [key, values] of Object.entries(curves)) setPoint(view.curves[key], step, values);
  },
  batch(view, {trajectories, curves, windows}) {
    view.batches += 1;
    view.trajectories = trajectories;
    for (const [key, document] of Object.entries(curves)) setCurve(view.curves[key], document);
    for (const window of windows) view.windows[window.curve] = window;
  },
  checks(view, {checks}) {
    view.checks = checks;
  },
  done(view, {batches, trajectories}) {
    Object.assign(view, {state: "done", batches, trajectories});
  },
  failed(view, {reason}) {
    Object.assign(view, {state: "failed", reason});
  },
  cancelled(view) {
    view.state = "cancelled";
  }
};

function emptyCurve(curve, steps) {
  const arrays = ARRAYS.map((name) => [name, Array(steps).fill(null)]);
  return {...curve, profiles: [], ...Object.fromEntries(arrays)};
}

function setPoint(curve, step, values) {
  if (!curve) return; // a later version's curve
  for (const name of ARRAYS) if (name in values) curve[name][step] = values[name];
}

function setCurve(curve, document) {
  if (!curve) return;
  const {n, ...rest} = document;
  const exact = rest.exact ?? curve.exact; // the run's own document has it before anything is measured
  Object.assign(curve, ABSENT, rest, {n: Array(curve.n.length).fill(n), counted: n, exact});
}
