import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {guidanceOf, guidanceText} from "../../frontend/protocol/guidance.js";
import {choicesOf, offered} from "../../frontend/protocol/schema.js";
import {aboutText, byChange, differencesOf} from "../../frontend/panels/comparison.js";
import * as entropyDifference from "../../frontend/plots/entropy_difference.js";
import {layout, summary, traces, withCrossings} from "../../frontend/plots/redistribution.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const SCHEMA = {
  properties: {
    guidance: {anyOf: [{$ref: "#/$defs/Guidance"}, {type: "null"}]},
    complement: {enum: ["unconditional", "classes", "rebuilt"], default: "classes"}
  },
  $defs: {Guidance: {properties: {
    method: {enum: ["cfg", "feedback"], default: "cfg"}, decoder: {enum: ["model", "guided"], default: "model"}
  }}}
};
const TYPED = {method: "cfg", scale: "3", low: "", high: "", decoder: "model", maxScale: "10"};
const CLASSES = [
  {label: "a", n: 10, production: [0, 0.1, -0.2], production_se: [0, 0.01, 0.01]},
  {label: "b", n: 12, production: [0, 0.5, -0.1], production_se: [0, 0.01, 0.01]}
];
const CURVE = {partition: "classes", path: [], title: "all classes", entropy: [0, -0.1, -0.3], entropy_se: [0, 0.02, null]};
const SCENE = {
  figure, theme: "light", axis: "sigma", unit: "bits", sigma: [4, 2, 1], ends: [4, 1], interval: [1.5, 400],
  colorOf: (label) => ({a: "#112233", b: "#445566"})[label] ?? null, shown: new Set(), size: {width: 600, height: 200},
  redistribution: {median: [0, 0.3, -0.15], low: [0, 0.2, -0.2], high: [0, 0.4, -0.1], classes: CLASSES}, differences: [CURVE]
};

test("what can be chosen is what the spec accepts, its default first", () => {
  assert.deepEqual(choicesOf(SCHEMA, "guidance.method"), ["cfg", "feedback"]);
  assert.deepEqual(choicesOf(SCHEMA, "complement"), ["classes", "unconditional", "rebuilt"]);
  assert.deepEqual(choicesOf({properties: {complement: {const: "classes", default: "classes"}}}, "complement"), ["classes"]);
  assert.deepEqual(choicesOf(SCHEMA, "nothing.at.all"), []);
});

test("a setting is offered where model and decision can use it", () => {
  const guided = offered(SCHEMA, {unconditional: true}, true);
  assert.deepEqual([guided.methods.length, guided.complements.length], [2, 3]);
  assert.deepEqual(offered(SCHEMA, {unconditional: true}, false).complements, []);
  const plain = offered(SCHEMA, {unconditional: false}, true);
  assert.deepEqual([plain.methods, plain.complements], [[], []]);
});

test("guidance is what was typed; a side of the interval left out is the end of the grid", () => {
  assert.equal(guidanceOf({...TYPED, method: "none"}, "80"), undefined);
  assert.deepEqual(guidanceOf(TYPED, "80"), {scale: 3, interval: null, method: "cfg", decoder: "model"});
  assert.deepEqual(guidanceOf({...TYPED, low: "0.4"}, "80").interval, [0.4, 80]);
  assert.deepEqual(guidanceOf({...TYPED, high: "5"}, "80").interval, [0, 5]);
  assert.equal(guidanceOf({...TYPED, method: "feedback"}, "80").max_scale, 10);
  assert.equal(guidanceOf({...TYPED, scale: "much"}, "80").scale, "much");
});

test("guidance is told in words", () => {
  const guidance = {scale: 2.5, interval: [0.4, 5], method: "feedback", decoder: "guided"};
  assert.equal(guidanceText(guidance), "guided by feedback ×2.5 on σ 5 to 0.4, scored with the guided kernels");
  assert.equal(guidanceText({scale: 3, interval: null, method: "cfg", decoder: "model"}), "guided ×3");
  assert.equal(guidanceText(null), "");
});

test("what is gained is green and above zero, what is lost is red and below", () => {
  const [, gain, loss] = traces(SCENE);
  assert.ok(gain.y.every((y) => y >= 0) && loss.y.every((y) => y <= 0));
  assert.equal(Math.max(...gain.y), 0.3);
  assert.equal(Math.min(...loss.y), -0.15);
  assert.notEqual(gain.fillcolor, loss.fillcolor);
});

test("the areas meet where the median crosses zero", () => {
  assert.deepEqual(withCrossings([0, 1, 3], [1, -1, -2]), {x: [0, 0.5, 1, 3], y: [1, 0, -1, -2]});
});

test("classes are drawn when asked for, in nats and on every axis", () => {
  assert.equal(traces(SCENE).length, 4);
  const asked = {...SCENE, shown: new Set(["b"]), unit: "nats", axis: "log_snr"};
  const drawn = traces(asked)[3];
  assert.equal(drawn.name, "b");
  assert.ok(Math.abs(drawn.y[1] - 0.5 * Math.LN2 * 0.5) < 1e-12);
});

test("the guided interval is shaded as far as the grid goes, and every axis has its unit", () => {
  const {shapes, xaxis, yaxis} = layout(SCENE);
  assert.deepEqual([shapes[0].x0, shapes[0].x1], [4, 1.5]);
  assert.deepEqual(layout({...SCENE, interval: null}).shapes, []);
  assert.match(xaxis.title.text, /units/);
  assert.equal(yaxis.title.text, "Δ production (bits per ln σ)");
  assert.equal(entropyDifference.layout({...SCENE, unit: "nats"}).yaxis.title.text, "Δ entropy H (nats)");
});

test("everything drawn lies inside the frame", () => {
  const [low, high] = layout({...SCENE, shown: new Set(["a", "b"])}).yaxis.range;
  assert.ok(low < -0.2 && high > 0.5);
  const [floor] = entropyDifference.layout(SCENE).yaxis.range;
  assert.ok(floor < -0.3);
});

test("the difference of H has a band where its error is known", () => {
  const [area, curve] = entropyDifference.traces(SCENE);
  assert.equal(area.x.length, 4); // two of three noise levels, there and back
  assert.deepEqual(curve.y, [0, -0.1, -0.3]);
});

test("a name of a class is never markup", () => {
  const named = {...SCENE, shown: new Set(["a<b>"])};
  const redistribution = {...SCENE.redistribution, classes: [{...CLASSES[0], label: "a<b>"}]};
  assert.match(traces({...named, redistribution, colorOf: () => "#112233"})[3].hovertemplate, /a&lt;b&gt;/);
});

test("a comparison is summed up in the unit that is shown", () => {
  const text = summary({...SCENE, per: "ln σ"});
  assert.equal(text, "H changes most by −0.300 bits at σ = 1; median production by +0.3 at σ = 2 and −0.15 at σ = 1 (bits per ln σ).");
  const sure = {...CURVE, entropy_se: [0, 0.01, 0.02]};
  assert.match(summary({...SCENE, differences: [sure], per: "ln σ"}), /by −0.300 ± 0.020 bits/);
  assert.match(summary({...SCENE, differences: [CURVE, CURVE], per: "t"}), /^Median production changes by \+0.3 at σ = 2/);
  const none = {...SCENE.redistribution, median: [0, 0, 0]};
  assert.equal(summary({...SCENE, redistribution: none, differences: [], per: "ln σ"}), "Guidance changes nothing.");
});

test("classes that change most come first; a partition of each against the rest has a curve a class", () => {
  assert.deepEqual(byChange({classes: CLASSES}).map(({label}) => label), ["b", "a"]);
  const curves = {classes: CURVE, "rest.a": {...CURVE, partition: "rest"}, "rest.b": {...CURVE, partition: "rest"}};
  assert.equal(differencesOf({curves}, "classes").length, 1);
  assert.equal(differencesOf({curves}, "rest").length, 2);
  assert.equal(aboutText({trajectories: 22}, {classes: CLASSES}), "22 trajectories with the same noise, 10 to 12 of each of 2 classes");
  const rest = {classes: CLASSES.map((entry) => ({...entry, n: 22}))};
  assert.equal(aboutText({trajectories: 22}, rest), "22 trajectories with the same noise, all for each of 2 classes");
});
