import assert from "node:assert/strict";
import test from "node:test";
import {isRest, kindOf, labelsText, typedLabels} from "../../frontend/protocol/spec.js";
import {bySource, priceText, specFor, sweepFor} from "../../frontend/panels/ready.js";
import {decision} from "../../frontend/protocol/decision.js";

const RUN = {
  name: "a", title: "A", description: "About A.", source: "One", axis: "ln_sigma", evaluations: 19200000, seconds: 7200,
  spec: {model: "large", trajectories: 300}, vary: null
};
const SWEEP = {...RUN, name: "b", source: "Two", seconds: null, vary: [{seed: 1}, {seed: 2}]};

test("studies stand with those of the same paper, in their order", () => {
  const third = {...RUN, name: "c"};
  const grouped = bySource([RUN, SWEEP, third]).map(([source, entries]) => [source, entries.map(({name}) => name)]);
  assert.deepEqual(grouped, [["One", ["a", "c"]], ["Two", ["b"]]]);
});

test("the price of a study is told before it starts, with the time where the speed is known", () => {
  assert.equal(priceText(RUN), "19,200,000 evaluations, about 2 h 0 min");
  assert.equal(priceText(SWEEP), "2 runs, 19,200,000 evaluations");
});

test("a study is run on the model that was chosen, and stays as it was itself", () => {
  assert.deepEqual(specFor(RUN, "larger"), {model: "larger", trajectories: 300});
  assert.equal(RUN.spec.model, "large");
  const {title, explanation, axis, sweep} = sweepFor(SWEEP, "larger");
  assert.deepEqual([title, explanation, axis], ["A", "About A.", "ln_sigma"]);
  assert.deepEqual(sweep, {schema: 1, title: "A", spec: {model: "larger", trajectories: 300}, vary: SWEEP.vary});
});

test("chosen classes against the rest are a decision of their own", () => {
  assert.equal(kindOf("some", {each: [1, "b"]}, []), "each");
  assert.deepEqual([null, "each-vs-rest", {each: [1]}, [{name: "x"}]].map(isRest), [false, true, true, false]);
  const run = (each) => ({spec: {partitions: {some: {each}}}, labels: [], curves: []});
  assert.equal(decision(run([4])), "one class against the rest");
  assert.equal(decision(run([4, 5])), "each of 2 classes against the rest");
});

test("indices are written as ranges and read again", () => {
  const names = Array.from({length: 30}, (_, i) => `name ${i}`);
  const indices = [1, 2, 3, 4, 9, 20, 21, 25, 26, 27];
  assert.equal(labelsText(indices, names), "1-4, 9, 20, 21, 25-27");
  assert.deepEqual(typedLabels(labelsText(indices, names), names), indices);
});
