import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {emptyView, takeResult} from "../../frontend/events/fold.js";
import {value} from "../../frontend/plots/axes.js";
import * as entropy from "../../frontend/plots/entropy.js";
import * as production from "../../frontend/plots/production.js";
import * as widthPlot from "../../frontend/plots/widths.js";
import {widthsOf} from "../../frontend/scenes/width_scene.js";
import {linesHiddenAtFirst, restingStep, sweepScene} from "../../frontend/scenes/sweep.js";
import {worstOf} from "../../frontend/sessions/sweep.js";
import {decisionsOf, twoGaussianEntropy, ratioAt, speciation, theoryWidth} from "../../frontend/scenes/speciation.js";
import {costText, errorText} from "../../frontend/panels/presets.js";
import {sweepAbout} from "../../frontend/panels/sweep.js";
import {readVary} from "../../frontend/protocol/vary.js";
import {runNames, variedOf} from "../../frontend/protocol/varied.js";
import {bandWidth, crossing} from "../../frontend/scenes/widths.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const DIMENSIONS = [10, 100, 1000, 10000];
const SIZE = {width: 600, height: 300};
const STATE = {runId: null, axis: "sigma", unit: "bits", range: "all", cross: "no", step: null, focus: null, hidden: new Set()};
const CURVE = {key: "classes", title: "all classes", partition: "classes", path: [], groups: ["plus", "minus"], bound: 1};

const close = (a, b, within) => assert.ok(Math.abs(a - b) <= within, `${a} is not within ${within} of ${b}`);
const geometric = (high, low, n) => Array.from({length: n}, (_, i) => high * (low / high) ** (i / (n - 1)));
const specOf = (dimension) => ({
  model: "gaussian-mixture", params: {kind: "pair", dimension, offset: 1, std: 1}, partitions: {classes: null}, previews: null
});

/** The exact curve of a pair, as if it had been measured. */
function exactPair(dimension, steps = 400) {
  const sigma = geometric(16 * Math.sqrt(dimension), 0.1, steps);
  const H = sigma.map((level) => twoGaussianEntropy(Math.sqrt(dimension / (1 + level ** 2))));
  return {sigma, entropy: H, entropy_se: sigma.map(() => 0.01), entropy_band: sigma.map(() => 0.02)};
}

function sweepOf(dimensions, steps = 60) {
  const measured = dimensions.map((d) => exactPair(d, steps));
  const runs = dimensions.map((d, i) => ({
    id: `run${i}`, state: "done", reason: null, labels: ["plus", "minus"], spec: specOf(d), sigma: measured[i].sigma, curves: [CURVE]
  }));
  const zeros = measured[0].sigma.map(() => 0);
  const views = Object.fromEntries(runs.map((run, i) => {
    const {entropy, entropy_se} = measured[i];
    const known = {entropy, entropy_se, cross_entropy: entropy, cross_entropy_se: entropy_se, production: zeros, production_se: zeros};
    const exact = {sigma: [4, 2], entropy: [0.5, 0.25], production: [0.3, 0.2]};
    const view = emptyView(run);
    takeResult(view, {curves: {classes: {n: 64, ...known, entropy_step_error: zeros, exact}}, windows: [], checks: []});
    return [run.id, view];
  }));
  const vary = dimensions.map((dimension) => ({params: {dimension}}));
  return {sweep: {id: "s", title: "t", state: "done", spec: specOf(1), vary, runs}, views};
}

const sceneOf = (drawn, changes = {}) =>
  ({...sweepScene({figure, ...drawn, state: {...STATE, ...changes}, theme: "light"}), size: SIZE});

test("the entropy of a pair is the known one", () => {
  const known = [[0.1, 0.99282235], [0.5, 0.83925278], [1, 0.51405585], [1.5, 0.24002099], [3, 0.00555329]];
  for (const [r, bits] of known) {
    close(twoGaussianEntropy(r), bits, 1e-7);
    close(ratioAt(bits), r, 1e-5);
  }
});

test("in VP the band is as wide in every dimension, in VE it grows as the root of d", () => {
  const ratios = [ratioAt(0.4), ratioAt(0.6)];
  const widths = DIMENSIONS.map((d) => theoryWidth({distance: Math.sqrt(d), std: 1}, ratios));
  for (const {time} of widths) close(time, 0.30830837, 1e-7);
  [1.02, 3.06, 9.65, 30.49].forEach((known, i) => close(widths[i].sigma, known, 0.005));
});

test("widths read off the exact curves are those of the theory", () => {
  const widths = DIMENSIONS.map((d) => bandWidth(exactPair(d), 0.4, 0.6));
  for (const {time} of widths) close(time, 0.30830837, 5e-4);
  [1.02, 3.06, 9.65, 30.49].forEach((known, i) => close(widths[i].sigma, known, 0.005 * known));
});

test("a crossing is where the line between two steps passes the level, with the error it has there", () => {
  const curve = {sigma: [Math.exp(2), Math.exp(1), 1], entropy: [0.9, 0.5, 0.1], entropy_band: [0.04, 0.04, 0.04]};
  const {sigma, error} = crossing(curve, 0.7);
  close(Math.log(sigma), 1.5, 1e-12);
  close(error, 0.04 / 0.4, 1e-12);
  close(Math.log(crossing(curve, 0.5).sigma), 1, 1e-12);
});

test("of a curve that never passes the band no width is told", () => {
  const curve = {sigma: [4, 2, 1], entropy: [1, 0.8, 0.5], entropy_band: [0, 0, 0]};
  assert.equal(bandWidth(curve, 0.4, 0.6), null);
  assert.equal(bandWidth({...curve, entropy: [null, null, null]}, 0.4, 0.6), null);
});

test("of several crossings of a noisy curve the middle one counts", () => {
  const sigma = geometric(32, 1, 6);
  const curve = {sigma, entropy: [0.9, 0.4, 0.6, 0.4, 0.2, 0.1], entropy_band: sigma.map(() => 0)};
  close(Math.log2(crossing(curve, 0.5).sigma), 3.5, 1e-12);
});

test("d unit offsets speciate at t = 0.5 ln d and sigma = sqrt d", () => {
  for (const d of DIMENSIONS) {
    const {sigma, time} = speciation(decisionsOf(specOf(d))[0]);
    close(time, 0.5 * Math.log(d), 1e-12);
    close(sigma, Math.sqrt(d), 1e-12);
  }
});

test("a pair of any width speciates in VP where its signal equals its noise", () => {
  const {time} = speciation({distance: 5, std: 0.5});
  close(5 / Math.sqrt(0.25 + Math.expm1(2 * time)), 1, 1e-12);
});

test("a tree of pairs speciates once a level, other mixtures not at all", () => {
  const tree = {model: "gaussian-mixture", params: {kind: "tree", dimension: 64, offsets: [1, 4], std: 1}};
  assert.deepEqual(decisionsOf(tree).map(({distance}) => distance), [32, 8]);
  const points = {model: "gaussian-mixture", params: {kind: "points", means: [[0, 0], [6, 8]], std: 1}};
  assert.deepEqual(decisionsOf(points).map(({distance}) => distance), [5]);
  assert.deepEqual(decisionsOf({model: "gaussian-mixture"}), []);
  assert.deepEqual(decisionsOf({model: "fashion-mnist", params: {}}), []);
});

test("runs are called by what is varied, not by what follows it", () => {
  const vary = [10, 1000].map((dimension) => ({params: {kind: "pair", dimension}, schedule: {sigma_max: dimension}, batch_sizes: {largest: dimension}}));
  assert.deepEqual(runNames(vary), ["d = 10", "d = 1,000"]);
  assert.deepEqual(variedOf(vary).map(({path}) => path), ["params.dimension", "schedule.sigma_max", "batch_sizes.largest"]);
  assert.deepEqual(runNames([{schedule: {steps: 16}}, {schedule: {steps: 32}}]), ["steps = 16", "steps = 32"]);
  assert.deepEqual(runNames([{}, {guidance: {scale: 2}}]), ["run 1", "w = 2"]);
  assert.deepEqual(runNames([{guidance: null}, {guidance: {scale: 2}}]), ["guidance = none", "w = 2"]);
  const chosen = [[0, 1, 2, 3, 4], [5, 6, 7, 9, 10]].map((each) => ({partitions: {rest: {each}}}));
  assert.deepEqual(runNames(chosen), ["each = 0-4", "each = 5-7, 9, 10"]);
  assert.deepEqual(runNames([{params: {offsets: [4, 1]}}, {params: {offsets: [8, 1]}}]), ["offsets = 4, 1", "offsets = 8, 1"]);
});

test("every run is a line on its own noise levels, with its band and its exact curve", () => {
  const drawn = entropy.traces(sceneOf(sweepOf([10, 100])));
  const named = drawn.filter(({name}) => name);
  assert.deepEqual(named.map(({name}) => name), ["d = 10, exact", "d = 100, exact", "d = 10", "d = 100"]);
  assert.equal(drawn.filter(({fill}) => fill).length, 2);
  assert.ok(named[3].x[0] > 3 * named[2].x[0]);
  assert.match(named[0].line.dash, /px/);
  assert.ok(named[0].zorder > 0);
});

test("in units of their speciation time all pairs are one curve", () => {
  const made = sweepOf([100, 10000], 400);
  const lines = entropy.traces(sceneOf(made, {axis: "vp_time"})).filter(({name}) => /^d = \d[^x]*$/.test(name ?? ""));
  const half = ({x, y}) => x[y.findIndex((bits) => bits < 0.51405585)];
  close(half(lines[0]), 0.5 * Math.log(100), 0.02);
  close(half(lines[1]), 0.5 * Math.log(10000), 0.03);
  const scaled = entropy.traces(sceneOf(made, {axis: "scaled_time"})).filter(({name}) => /^d = \d[^x]*$/.test(name ?? ""));
  for (const line of scaled) close(half(line), 1, 0.01);
});

test("production per u is t_s times production per t", () => {
  const made = sweepOf([100]);
  made.views.run0.curves.classes.production = made.sweep.runs[0].sigma.map(() => 1);
  const y = (axis) => production.traces(sceneOf(made, {axis})).at(-1).y;
  const [perU, perTime] = [y("scaled_time"), y("vp_time")];
  perU.forEach((rate, i) => close(rate / perTime[i], 0.5 * Math.log(100), 1e-9));
});

test("speciation is marked in the colour of its run, for VP on time and for VE on sigma", () => {
  const made = sweepOf([10, 100]);
  const marks = (axis) => production.layout(sceneOf(made, {axis})).shapes.filter(({line}) => line?.dash === "dot");
  marks("vp_time").forEach(({x0}, i) => close(x0, 0.5 * Math.log(DIMENSIONS[i]), 1e-12));
  marks("sigma").forEach(({x0}, i) => close(x0, Math.sqrt(DIMENSIONS[i]), 1e-12));
  assert.deepEqual(marks("sigma").map(({line}) => line.color), sceneOf(made).curves.map(({color}) => color));
  assert.deepEqual(marks("scaled_time").map(({x0}) => x0), [1]);
});

test("names of marks do not overlap, however narrow the chart", () => {
  const names = (width) => production.layout({...sceneOf(sweepOf(DIMENSIONS), {axis: "vp_time"}), size: {width, height: 200}}).annotations;
  assert.deepEqual(names(800).map(({text}) => text), ["tₛ = 4.61", "tₛ = 3.45", "tₛ = 2.3", "tₛ = 1.15"]);
  assert.ok(names(300).length < 4 && names(300).length > 0);
});

test("a mark at the right edge has its name on the left", () => {
  const made = sweepOf([100]);
  made.sweep.runs[0].sigma = geometric(160, 9, 60);
  assert.equal(production.layout(sceneOf(made)).annotations[0].xanchor, "right");
});

test("every curve lies inside the range of every axis", () => {
  const made = sweepOf([10, 10000]);
  for (const axis of Object.keys(figure.axes)) {
    const scene = sceneOf(made, {axis});
    const {range, type} = entropy.layout(scene).xaxis;
    const positions = scene.curves.flatMap(({sigma, time}) => sigma.map((level) => value(axis, level, time)));
    for (const at of positions.map((at) => (type === "log" ? Math.log10(at) : at))) {
      assert.ok(at <= Math.max(...range) && at >= Math.min(...range), `${axis}: ${at} outside ${range}`);
    }
  }
});

test("the band from 0.4 to 0.6 bits is shaded, in nats too, unless more than a bit is to be decided", () => {
  const made = sweepOf([10]);
  const shaded = (scene) => entropy.layout(scene).shapes.find(({type}) => type === "rect");
  assert.deepEqual([shaded(sceneOf(made)).y0, shaded(sceneOf(made)).y1], [0.4, 0.6]);
  close(shaded(sceneOf(made, {unit: "nats"})).y1, 0.6 * Math.LN2, 1e-12);
  made.views.run0.curves.classes.bound = 2;
  assert.equal(shaded(sceneOf(made)), undefined);
});

test("the plot of widths has a point a run, and the theory's line through them", () => {
  const made = sweepOf(DIMENSIONS, 200);
  const shown = widthsOf(sceneOf(made), made.sweep);
  const [theoryTime, time, theorySigma, sigma] = widthPlot.traces(shown);
  assert.deepEqual(time.x, DIMENSIONS);
  for (const width of [...time.y, ...theoryTime.y]) close(width, 0.308, 2e-3);
  close(theorySigma.y[0], 1.02, 0.005);
  close(theorySigma.y.at(-1), 30.49, 0.005);
  assert.ok(sigma.error_y.array.every((error) => error > 0));
  const {xaxis, yaxis, yaxis2} = widthPlot.layout({...shown, size: SIZE});
  for (const axis of [xaxis, yaxis, yaxis2]) assert.match(axis.title.text, /\(.+\)/);
});

test("what is typed for a sweep is a list of objects, and what is off is named", () => {
  assert.deepEqual(readVary('[{"seed": 1}, {}]'), [{seed: 1}, {}]);
  const refused = (text) => {
    try {
      readVary(text);
    } catch (error) {
      return errorText(error);
    }
    assert.fail(`${text} was taken`);
  };
  assert.match(refused("  "), /^vary: must be a JSON list/);
  assert.match(refused('[{"seed": 1},'), /^vary: is not JSON/);
  assert.match(refused('{"seed": 1}'), /^vary: must be .*, got {"seed":1}$/);
  assert.match(refused("[{}, 7]"), /^vary\.1: must be an object of settings, got 7$/);
});

test("a refusal of the server names the place in the list", () => {
  const error = {message: "refused", errors: [{field: "vary.3.params.dimension", reason: "must be >= 1, got 0"}]};
  assert.equal(errorText(error), "vary.3.params.dimension: must be >= 1, got 0");
  assert.equal(errorText({message: "the server does not answer"}), "the server does not answer");
});

test("a sweep is told in a line", () => {
  const vary = (n) => Array.from({length: n}, (_, seed) => ({seed}));
  assert.equal(sweepAbout({vary: vary(2)}), "2 runs: seed = 0; seed = 1");
  assert.match(sweepAbout({vary: vary(20)}), /^20 runs: seed = 0; .*; …; seed = 19$/);
  assert.equal(sweepAbout({vary: [{}]}), "1 run");
  assert.equal(costText({runs: 2, cost: {evaluations: 1200, seconds: 3}}), "2 runs, 1,200 evaluations, about 3 s");
});

test("of the connections of a sweep the worst is told", () => {
  assert.deepEqual(worstOf([["finished"], ["waiting", 500], ["live"]]), ["waiting", 500]);
  assert.deepEqual(worstOf([["finished"], ["live"]]), ["live"]);
});

test("without a number that is varied there is no plot of widths", () => {
  const made = sweepOf([10]);
  assert.equal(widthsOf(sceneOf(made), made.sweep), null);
});

test("a hidden run is neither drawn nor marked nor in focus", () => {
  const made = sweepOf([10, 100]);
  const scene = sceneOf(made, {hidden: new Set(["run0.classes"])});
  assert.deepEqual(scene.curves.map(({title}) => title), ["d = 100"]);
  assert.equal(scene.focus.title, "d = 100");
  assert.deepEqual(scene.marks.map(({sigma}) => sigma), [10]);
  assert.equal(linesHiddenAtFirst(made.sweep).size, 0);
});

test("of several runs with several curves each shows its first one at first, in the first colours", () => {
  const made = sweepOf([10, 100]);
  for (const run of made.sweep.runs) {
    run.curves = [CURVE, {...CURVE, key: "kinds.a", path: ["a"]}];
    made.views[run.id] = emptyView(run);
  }
  assert.deepEqual([...linesHiddenAtFirst(made.sweep)], ["run0.kinds.a", "run1.kinds.a"]);
  const {all} = sceneOf(made);
  assert.deepEqual(all.map(({title}) => title), ["d = 10, all classes", "d = 10, a", "d = 100, all classes", "d = 100, a"]);
  assert.deepEqual(all.map(({color}) => figure.colorway.indexOf(color)), [0, 2, 1, 3]);
  made.sweep.runs.pop();
  assert.equal(linesHiddenAtFirst({...made.sweep, vary: [{}]}).size, 0);
});

test("the cursor rests where the run in focus speciates", () => {
  const made = sweepOf([100], 400);
  const scene = sceneOf(made);
  close(scene.sigma[restingStep(scene)], 10, 0.2);
});
