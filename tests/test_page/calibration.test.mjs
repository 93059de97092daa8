import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {modelRunOf} from "../../frontend/sessions/model_paths.js";
import {dataText, specOf} from "../../frontend/protocol/spec.js";
import {best} from "../../frontend/protocol/quantities.js";
import {caption} from "../../frontend/panels/calibration.js";
import * as accuracy from "../../frontend/plots/accuracy.js";
import * as entropy from "../../frontend/plots/entropy.js";
import * as reliability from "../../frontend/plots/reliability.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const CALIBRATION = {
  accuracy: [0.5, 0.8, 1], accuracy_se: [0.05, 0.04, 0],
  gap: [0, 0.05, 0.1], gap_se: [0, 0.01, 0.01],
  entropy_corrected: [1, null, 0.1], entropy_corrected_se: [0, null, 0.01],
  cross_entropy_corrected: [1, null, 0.12], cross_entropy_corrected_se: [0, null, 0.02],
  gap_corrected: [0, null, 0.02], gap_corrected_se: [0, null, 0.01],
  reliability: {
    edges: [0, 0.5, 1],
    count: [[0, 100], [0, 100], [20, 80]],
    confidence: [[null, 0.5], [null, 0.7], [0.4, 0.9]],
    accuracy: [[null, 0.5], [null, 0.8], [0.5, 1]]
  }
};
const CURVE = best({
  key: "classes", title: "all classes", path: [], bound: 1, color: "#2b87d1", focus: true, visible: true,
  entropy: [1, 0.5, 0.1], entropy_se: [0, 0.1, 0], entropy_step_error: [0, 0, 0],
  cross_entropy: [1, 0.6, 1.2], cross_entropy_se: [0, 0.1, 0], calibration: CALIBRATION,
  production: [0, 1, 0], production_se: [0, 0.1, 0]
}, 1.96);
const SCENE = {
  figure, theme: "light", sigma: [4, 2, 1], axis: "sigma", unit: "bits", cross: "no", ends: [4, 1], window: null,
  curves: [CURVE], focus: CURVE, size: {width: 300, height: 150}
};

test("a run on data shows cross-entropy and its corrected points without being asked", () => {
  const names = entropy.traces(SCENE).map(({name}) => name);
  assert.ok(names.includes("all classes, cross-entropy"));
  const corrected = entropy.traces(SCENE).find(({mode}) => mode === "markers");
  assert.deepEqual(corrected.x, [4, 1]);
  assert.deepEqual(corrected.y, [1, 0.12]);
  assert.ok(Math.abs(corrected.error_y.array[1] - 1.96 * 0.02) < 1e-12);
  const plain = {...CURVE, calibration: null};
  assert.ok(entropy.traces({...SCENE, curves: [plain]}).every(({mode}) => mode !== "markers"));
});

test("the chart grows with the surprise of the data, up to a limit", () => {
  assert.ok(entropy.layout(SCENE).yaxis.range[1] > 1.2);
  const wild = {...CURVE, cross_entropy: [1, 50, 50]};
  assert.ok(entropy.layout({...SCENE, curves: [wild]}).yaxis.range[1] < 2);
});

test("the model's own entropy stands beside it, on its own levels", () => {
  const beside = {sigma: [8, 1], curves: {classes: {entropy: [1, 0]}}};
  const [, line] = entropy.traces({...SCENE, modelPaths: beside});
  assert.deepEqual(line.x, [8, 1]);
  assert.match(line.line.dash, /px/);
});

test("that run asks the same question of the model's own paths", () => {
  const spec = {model: "m", params: {}, partitions: {classes: null}, prior: "model", guidance: null};
  const data = {state: "done", spec: {...spec, paths_from: "data"}};
  const ofModel = {state: "done", spec: {...spec, paths_from: "model", seed: 5}};
  const others = [
    {...ofModel, state: "running"},
    {...ofModel, spec: {...ofModel.spec, model: "n"}},
    {...ofModel, spec: {...ofModel.spec, guidance: {scale: 2}}}
  ];
  assert.equal(modelRunOf(data, [data, ...others, ofModel]), ofModel);
  assert.equal(modelRunOf(data, others), null);
  assert.equal(modelRunOf(ofModel, [ofModel]), null);
});

test("the diagram shows the bins that hold answers, at their own accuracy", () => {
  const [diagonal, bars, points] = reliability.traces({...SCENE, step: 2});
  assert.deepEqual([diagonal.x, diagonal.y], [[0, 1], [0, 1]]);
  assert.deepEqual(bars.x, [0.25, 0.75]);
  assert.deepEqual(bars.y, [0.5, 1]);
  assert.deepEqual(points.x, [0.4, 0.9]);
  assert.ok(points.error_y.array[0] > points.error_y.array[1]);
  assert.equal(reliability.traces({...SCENE, step: 0})[1].x.length, 1);
});

test("axes of both charts name what they show", () => {
  const {xaxis, yaxis} = reliability.layout(SCENE);
  for (const {title} of [xaxis, yaxis, accuracy.layout(SCENE).yaxis]) assert.match(title.text, /\(.+\)/);
  assert.equal(accuracy.traces(SCENE).at(-1).y[1], 0.8);
});

test("the caption tells accuracy and the gap that is left after the steps", () => {
  assert.match(caption(SCENE, 2), /100.* % of 100 right.* = 0\.020 ± 0\.010 bits at σ = 1/);
  assert.match(caption(SCENE, 1), /80.* ± 4.*of 100 right.*bits at σ = 4/);
  assert.match(caption({...SCENE, unit: "nats"}, 2), /0\.0139 ± 0\.0069 nats/);
});

test("a spec says where paths come from only where that is not the model", () => {
  const form = {model: "m", params: undefined, mode: "classes", groups: [], prior: "model", fields: {}};
  assert.equal("paths_from" in specOf(form), false);
  assert.equal(specOf({...form, paths: "data"}).paths_from, "data");
  assert.equal(dataText({examples: 10000, part: "t10k"}), "of labelled data (t10k, 10,000)");
  assert.equal(dataText({examples: null, part: "exact samples"}), "of labelled data (exact samples)");
});
