import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {levelsOf, nearestLevel, studiesOf} from "../../frontend/protocol/studies.js";
import {specOf} from "../../frontend/protocol/spec.js";
import {branchingText, commitmentText, guidedSpec, switchText} from "../../frontend/panels/studies.js";
import * as branching from "../../frontend/plots/branching.js";
import * as calibration from "../../frontend/plots/calibration.js";
import * as commitment from "../../frontend/plots/commitment.js";
import * as contenders from "../../frontend/plots/contenders.js";
import * as switched from "../../frontend/plots/switch.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const SIGMA = [8, 4, 2, 1];
const first = {n: 10, overtaken: 0.1, expected: 0.08, se: 0.03};
const COMMITMENT = {
  curve: "classes", n: 10, flips: 2.5, flips_se: 0.1,
  thresholds: [
    {above: 0.5, counts: [0, 4, 4, 2], never: 0, sigma_10: 1, sigma_median: 2, sigma_90: 4, first},
    {above: 0.9, counts: [0, 0, 4, 4], never: 2, sigma_10: 1, sigma_median: 1, sigma_90: 2, first}
  ],
  pairs: [{final: "a", contender: "b", n: 6, peak: 0.4}, {final: "b", contender: "a", n: 4, peak: 0.3}],
  trajectories: []
};
const SWITCH = {
  n: 64, crossover: {sigma: 1.4, error: 0.05}, inside_window: false, ratio_to_peak: 0.2,
  levels: [{sigma: 8, followed: 1, se: 0}, {sigma: 2, followed: 0.9, se: 0.04}, {sigma: 1, followed: 0.1, se: 0.04}]
};
const BRANCHING = {
  sigma: 4, repeats: 64, n: 2, reachable: 1.5,
  trajectories: [
    {trajectory: 0, label: "a", reached: 2, classes: [{label: "a", posterior: 0.7, frequency: 0.75}, {label: "b", posterior: 0.3, frequency: 0.25}]},
    {trajectory: 1, label: "b", reached: 1, classes: [{label: "b", posterior: 1, frequency: 1}]}
  ],
  calibration: {largest_z: 1.2, bins: [{predicted: 0.3, frequency: 0.25, se: 0.05}, {predicted: 0.7, frequency: 0.75, se: 0.05}]}
};
const WINDOW = {sigma_low: 1.5, sigma_peak: 3, sigma_high: 6};

const scene = (changes = {}) => ({
  figure, theme: "light", axis: "sigma", unit: "bits", sigma: SIGMA, ends: [8, 1], labels: ["a", "b"], window: WINDOW,
  size: {width: 600, height: 160}, commitment: COMMITMENT, ...changes
});

test("the area of the commitments is the share of trajectories that commit, on every axis", () => {
  for (const axis of ["ln_sigma", "log_snr"]) {
    const [half, sure] = commitment.traces(scene({axis})).map(({x, y}) =>
      x.slice(1).reduce((sum, at, i) => sum + Math.abs(at - x[i]) * ((y[i] + y[i + 1]) / 2), 0)
    );
    assert.ok(Math.abs(half - 1) < 1e-12);
    assert.ok(Math.abs(sure - 0.8) < 1e-12);
  }
});

test("commitments and switches share the range of the charts and shade the window", () => {
  for (const [plot, more] of [[commitment, {}], [switched, {study: SWITCH}]]) {
    const {xaxis, yaxis, shapes} = plot.layout(scene(more));
    assert.equal(xaxis.range.length, 2);
    assert.match(yaxis.title.text, /\(.+\)/);
    assert.deepEqual([shapes[0].x0, shapes[0].x1], [6, 1.5]);
  }
});

test("the crossover is marked with its band, where there is one", () => {
  const marked = switched.layout(scene({study: SWITCH})).shapes;
  assert.ok(marked.some(({type, x0}) => type === "line" && x0 === 1.4));
  assert.equal(switched.layout(scene({study: {...SWITCH, crossover: null}})).shapes.length, marked.length - 2);
});

test("each trajectory has two full bars: the posterior and what was reached", () => {
  const traces = branching.traces(scene({study: BRANCHING, colorOf: () => "#123456"}));
  assert.deepEqual(traces.map(({name}) => name), ["a", "b"]);
  for (const place of [0, 1, 2, 3]) {
    assert.ok(Math.abs(traces.reduce((sum, {y}) => sum + y[place], 0) - 1) < 1e-12);
  }
});

test("calibration has 95 % error bars about the diagonal", () => {
  const [diagonal, points] = calibration.traces(scene({study: BRANCHING}));
  assert.deepEqual(diagonal.x, diagonal.y);
  assert.deepEqual(points.error_y.array, [1.96 * 0.05, 1.96 * 0.05]);
});

test("the matrix counts every final class and its contender, the same order down and across", () => {
  const [{z}] = contenders.traces(scene());
  assert.deepEqual(z, [[null, 6], [4, null]]);
  assert.deepEqual(contenders.layout(scene()).xaxis.ticktext, ["a", "b"]);
});

test("every axis of the studies has a title with its unit", () => {
  for (const plot of [branching, calibration, contenders]) {
    const {xaxis, yaxis} = plot.layout(scene({study: BRANCHING}));
    assert.match(xaxis.title.text, /\(.+\)/);
    assert.match(yaxis.title.text, /\(.+\)/);
  }
});

test("the words say what was found", () => {
  assert.match(commitmentText(COMMITMENT), /above 0.5 from σ = 2.*10 % are not the final one \(8 % expected\)/);
  assert.match(switchText(SWITCH), /σ = 1.400 ± 0.050, outside the window/);
  assert.match(switchText({...SWITCH, crossover: null}), /does not pass one half/);
  assert.match(branchingText(BRANCHING), /1.5 classes/);
});

test("a guided spec is the run's own with the interval and without studies", () => {
  const spec = {model: "m", seed: 3, guidance: null, studies: {branching: {sigma: 4}}};
  const guided = guidedSpec(spec, {interval: [1.5, 6]}, 3);
  assert.deepEqual(guided, {model: "m", seed: 3, guidance: {scale: 3, interval: [1.5, 6]}, studies: {}});
});

test("the form asks for the studies whose level is given, and for no others", () => {
  assert.equal(studiesOf({}), undefined);
  assert.equal(studiesOf({"studies.branching.repeats": "8"}), undefined);
  assert.deepEqual(studiesOf({"studies.branching.sigma": "2,98", "studies.branching.repeats": "8"}), {
    branching: {sigma: 2.98, repeats: 8}
  });
  assert.deepEqual(levelsOf("8"), {levels: 8});
  assert.deepEqual(levelsOf("levels: 8"), {levels: 8});
  assert.deepEqual(levelsOf("20, 5.2"), {sigmas: [20, 5.2]});
  const spec = specOf({model: "m", mode: "classes", fields: {}, studies: studiesOf({"studies.switch.sigmas": "4"})});
  assert.deepEqual(spec.studies, {switch: {levels: 4}});
});

test("a typed noise level becomes the nearest one of the plan", () => {
  assert.equal(nearestLevel("3", [8.12345, 4, 2.98031]), "2.98");
  assert.equal(nearestLevel("far", [8, 4]), "far");
  assert.equal(nearestLevel("3", []), "3");
});
