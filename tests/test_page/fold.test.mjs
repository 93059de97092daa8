import assert from "node:assert/strict";
import {test} from "node:test";
import {emptyView, fold} from "../../frontend/events/fold.js";

const RUN = {
  id: "r",
  state: "queued",
  sigma: [4, 2, 1],
  labels: ["a", "b"],
  reason: null,
  curves: [{key: "classes", title: "all classes", partition: "classes", path: [], groups: ["a", "b"], bound: 1}]
};
const POINT = {n: 8, entropy: 0.5, entropy_se: 0.1, cross_entropy: 0.6, cross_entropy_se: 0.2, production: 0.3, production_se: 0.05};
const point = (step, values = POINT) => ({type: "point", batch: 0, step, curves: {classes: values}});

function folded(...events) {
  return events.reduce(fold, emptyView(RUN));
}

test("a point fills its step and no other", () => {
  const {curves, newest} = folded(point(1));
  assert.deepEqual(curves.classes.entropy, [null, 0.5, null]);
  assert.deepEqual(curves.classes.n, [null, 8, null]);
  assert.deepEqual(newest, {batch: 0, step: 1});
});

test("a later point of the same step replaces the earlier one", () => {
  const {curves} = folded(point(1), point(1, {...POINT, entropy: 0.4}));
  assert.equal(curves.classes.entropy[1], 0.4);
});

test("a batch brings whole curves, their windows and the step error", () => {
  const curve = {n: 16, entropy: [1, 0.5, 0], entropy_se: [0, 0, 0], entropy_step_error: [0, 0.1, 0.2]};
  const window = {curve: "classes", sigma_peak: 2};
  const view = folded(point(0), {type: "batch", batch: 0, trajectories: 16, curves: {classes: curve}, windows: [window]});
  assert.deepEqual(view.curves.classes.entropy, [1, 0.5, 0]);
  assert.deepEqual(view.curves.classes.n, [16, 16, 16]);
  assert.equal(view.windows.classes.sigma_peak, 2);
  assert.equal(view.trajectories, 16);
});

test("states follow the log and a final one stays", () => {
  assert.equal(folded({type: "queued", position: 2}).position, 2);
  assert.equal(folded({type: "started", worker: "w", device: "cpu", batch: 0}).state, "running");
  const over = folded({type: "failed", reason: "no memory"}, point(0));
  assert.equal(over.state, "failed");
  assert.equal(over.reason, "no memory");
  assert.equal(folded({type: "cancelled", batch: 0, step: 1}).state, "cancelled");
  assert.equal(folded({type: "done", batches: 1, trajectories: 16}).state, "done");
});

test("events and curves of a later version are passed over", () => {
  const view = folded({type: "weather"}, {...point(0), curves: {other: POINT}});
  assert.deepEqual(view.curves.classes.entropy, [null, null, null]);
});
