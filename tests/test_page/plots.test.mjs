import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {emptyView, fold, replaced} from "../../frontend/events/fold.js";
import * as entropy from "../../frontend/plots/entropy.js";
import {colour, faded} from "../../frontend/lib/colour.js";
import {layoutOf} from "../../frontend/plots/figure.js";
import {bars, nearest, segments, slots, tile} from "../../frontend/plots/previews.js";
import * as production from "../../frontend/plots/production.js";
import {chartKey} from "../../frontend/scenes/chart_key.js";
import {moreStepsReason, withTwiceTheSteps} from "../../frontend/scenes/more_steps.js";
import {cursorStep, focusOf, hiddenAtFirst, labelColors, sceneOf} from "../../frontend/scenes/run.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const CURVE = {key: "classes", title: "all classes", partition: "classes", path: [], groups: ["a", "b"], bound: 1};
const RUN = {
  id: "r", state: "running", sigma: [4, 2, 1], labels: ["a", "b"], curves: [CURVE], reason: null,
  spec: {partitions: {classes: null}, previews: {samples: 16}}
};
const STATE = {runId: "r", axis: "sigma", unit: "bits", range: "all", cross: "no", step: null, focus: null, hidden: new Set()};
const BATCH = {
  type: "batch", batch: 0, trajectories: 16,
  windows: [{curve: "classes", sigma_peak: 2, sigma_low: 1.5, sigma_high: 3}],
  curves: {
    classes: {
      n: 16, entropy: [1, 0.5, 0], entropy_se: [0, 0.1, 0], cross_entropy: [1, 0.6, 0], cross_entropy_se: [0, 0.1, 0],
      production: [0.1, 0.8, 0.1], production_se: [0, 0.1, 0], entropy_step_error: [0, 0.05, 0]
    }
  }
};
const SIZE = {width: 600, height: 200};

function scene(changes = {}, event = BATCH) {
  const view = event ? fold(emptyView(RUN), event) : emptyView(RUN);
  return {...sceneOf({figure, run: RUN, view, state: {...STATE, ...changes}, theme: "light"}), size: SIZE};
}
const BEST = {
  ...BATCH,
  curves: {
    classes: {
      ...BATCH.curves.classes,
      entropy_combined: [1, 0.45, 0], entropy_combined_se: [0, 0.02, 0], entropy_combined_step_error: [0, 0.01, 0.002],
      production_combined: [0.1, 0.9, 0.1], production_combined_se: [0, 0.03, 0], production_combined_step_error: [0, 0.02, 0]
    }
  }
};
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);
const last = (traces) => traces.at(-1);

test("every axis has a title with its unit, on every axis and in both units", () => {
  for (const axis of Object.keys(figure.axes)) {
    for (const unit of ["bits", "nats"]) {
      for (const chart of ["entropy", "production", "profiles"]) {
        const {xaxis, yaxis} = layoutOf(figure, chart, {axis, unit, theme: "dark", ends: [80, 0.02], size: SIZE});
        assert.match(xaxis.title.text, /\(.+\)/);
        assert.match(yaxis.title.text, new RegExp(`\\(${unit}`));
        assert.doesNotMatch(yaxis.title.text, /[{}]/);
      }
    }
  }
});

test("entropy in nats is ln 2 times entropy in bits", () => {
  assert.deepEqual(last(entropy.traces(scene())).y, [1, 0.5, 0]);
  assert.deepEqual(last(entropy.traces(scene({unit: "nats"}))).y, [1, 0.5, 0].map((h) => h * Math.LN2));
});

test("a curve without a best estimate has one band, with the error of the steps of the entropy", () => {
  const [band, ...rest] = entropy.traces(scene());
  near(band.y[1], 0.5 + 1.96 * 0.1 + 0.05);
  assert.ok(rest.every(({fill}) => !fill));
  near(production.traces(scene())[1].y[1], 0.8 + 1.96 * 0.1);
});

test("the best estimate is shown with one band: 1.96 standard errors and what is left beside them", () => {
  const [band, ...rest] = entropy.traces(scene({}, BEST));
  near(band.y[1], 0.45 + 1.96 * 0.02 + 0.01);
  assert.deepEqual([rest.length, last(rest).y], [1, [1, 0.45, 0]]);
  const [, around, line] = production.traces(scene({}, BEST));
  near(around.y[1], 0.9 + 1.96 * 0.03 + 0.02);
  assert.deepEqual(line.y, [0.1, 0.9, 0.1]);
});

test("on request the plain mean and the noise in the band are drawn, too", () => {
  for (const [plot, name, high] of [[entropy, "entropy", 0.45 + 1.96 * 0.02], [production, "production", 0.9 + 1.96 * 0.03]]) {
    const drawn = plot.traces(scene({parts: "yes"}, BEST));
    near(drawn.filter(({fill}) => fill).at(-1).y[1], high);
    assert.deepEqual(drawn.find(({name: title}) => /plain mean/.test(title ?? "")).y, BEST.curves.classes[name]);
  }
});

test("while a run's first batch goes, its plain curve is dotted and said to be provisional", () => {
  const early = scene({}, {type: "point", batch: 0, step: 0, curves: {classes: {n: 4, entropy: 1, entropy_se: 0, production: 0, production_se: 0}}});
  assert.match(last(entropy.traces(early)).line.dash, /px/);
  assert.deepEqual(chartKey(early).map(({mark}) => mark), ["provisional", "band"]);
  assert.equal(last(entropy.traces(scene({}, BEST))).line.dash, "solid");
});

test("points of later batches leave the best estimate as it is, with its number of trajectories", () => {
  const view = fold(emptyView(RUN), structuredClone(BEST)); // a point changes the arrays that a batch brought
  fold(view, {type: "point", batch: 1, step: 1, curves: {classes: {n: 48, entropy: 0.7, entropy_se: 0.1}}});
  const {focus} = sceneOf({figure, run: RUN, view, state: STATE, theme: "light"});
  assert.deepEqual([focus.entropy, focus.n, focus.plain.entropy[1]], [[1, 0.45, 0], [16, 16, 16], 0.7]);
});

test("a document without a best estimate takes away the one before", () => {
  const view = fold(fold(emptyView(RUN), BEST), BATCH);
  assert.deepEqual(sceneOf({figure, run: RUN, view, state: STATE, theme: "light"}).focus.entropy, [1, 0.5, 0]);
});

test("the legend says what the band holds, and explains every mark that is drawn", () => {
  const textOf = (drawn, mark) => chartKey(drawn).find((entry) => entry.mark === mark)?.text;
  const changed = (changes) => ({...BEST, curves: {classes: {...BEST.curves.classes, ...changes}}});
  assert.equal(textOf(scene({}, BEST), "band"), figure.band.text);
  assert.equal(textOf(scene(), "band"), figure.band.plain_text);
  assert.match(textOf(scene({}, changed({pruning: {dropped: [0]}})), "band"), /pruning/);
  assert.match(textOf(scene({}, changed({entropy_combined_step_error: [null, null, null]})), "band"), /not measured/);
  const all = {...scene({cross: "yes", parts: "yes"}, changed({exact: {sigma: [2], entropy: [1], production: [0]}})), modelPaths: {curves: {classes: {}}}};
  assert.deepEqual(chartKey(all).map(({mark}) => mark), ["combined", "mean", "band", "noise", "exact", "cross", "paths"]);
  assert.deepEqual(chartKey(scene({runId: null}, null)), []);
});

test("a run whose steps leave too much asks for twice as many, on a grid that holds its levels where they are named", () => {
  const failed = [{name: "production_integral[classes]", ok: false, bound: 0.1, value: 1}];
  const unknown = [{...failed[0], bound: null}, {...failed[0], ok: null}];
  assert.match(moreStepsReason(scene({}, BEST), failed), /integral/);
  assert.equal(moreStepsReason(scene({}, BEST), unknown), "");
  const rough = {...BEST, curves: {classes: {...BEST.curves.classes, entropy_combined_step_error: [0, 0.2, 0]}}};
  assert.match(moreStepsReason(scene({}, rough), []), /window/);
  assert.equal(moreStepsReason(scene(), []), "");
  const run = {sigma: [4, 2, 1], spec: {seed: 3, schedule: {steps: 3, sigma_max: 4}}};
  assert.deepEqual(withTwiceTheSteps(run, 512), {steps: 6, spec: {seed: 3, schedule: {steps: 6, sigma_max: 4}}});
  assert.equal(withTwiceTheSteps({...run, spec: {...run.spec, studies: {switch: {sigmas: [2]}}}}, 512).steps, 5);
  assert.deepEqual(withTwiceTheSteps({...run, spec: {schedule: {sigmas: [4, 2, 1]}}}, 512), {steps: 6});
  assert.equal(withTwiceTheSteps(run, 5), null);
});

test("production per log-SNR is half of production per ln sigma", () => {
  assert.deepEqual(last(production.traces(scene({axis: "log_snr"}))).y, [0.05, 0.4, 0.05]);
});

test("the area under production is the same on every axis", () => {
  const area = (axis) => {
    const {x, y} = last(production.traces(scene({axis})));
    return Math.abs(x.slice(1).reduce((sum, at, i) => sum + ((at - x[i]) * (y[i + 1] + y[i])) / 2, 0));
  };
  assert.ok(Math.abs(area("log_snr") - area("ln_sigma")) < 1e-12);
});

test("a curve of pairs says where it ends and where saturation would end it", () => {
  const floor = {entropy: 0.7, entropy_se: 0.01, saturation: 1, expected: 0.69};
  const withFloor = (ending) => ({...BATCH, curves: {classes: {...BATCH.curves.classes, floor: ending}}});
  const {shapes, annotations} = entropy.layout(scene({}, withFloor(floor)));
  assert.ok(shapes.some(({type, y0}) => type === "line" && y0 === 0.7));
  assert.match(annotations.at(-1).text, /^floor: 0\.70 bits \(0\.69 where/);
  assert.match(entropy.layout(scene({}, withFloor({...floor, expected: null}))).annotations.at(-1).text, /^floor: 0\.70 bits$/);
  assert.equal(entropy.layout(scene({}, withFloor(null))).annotations.length, 1);
});

test("a result at another prior replaces the curves it has and leaves the view as it was", () => {
  const view = fold(emptyView(RUN), BATCH);
  const {classes} = BATCH.curves;
  const shown = replaced(view, {curves: {classes: {...classes, bound: 0.7, entropy: [0.7, 0.3, 0]}}, windows: [{curve: "classes", sigma_peak: 3}]});
  assert.deepEqual([shown.curves.classes.bound, shown.curves.classes.entropy, shown.windows.classes.sigma_peak], [0.7, [0.7, 0.3, 0], 3]);
  assert.deepEqual([view.curves.classes.entropy, view.windows.classes.sigma_peak], [[1, 0.5, 0], 2]);
});

test("cross-entropy is drawn when asked for", () => {
  assert.equal(entropy.traces(scene({cross: "yes"})).length, entropy.traces(scene()).length + 1);
});

test("the window is shaded with a line at its peak, in both charts", () => {
  for (const chart of [entropy, production]) {
    const {shapes} = chart.layout(scene());
    const shaded = shapes.find(({type}) => type === "rect");
    assert.deepEqual([shaded.x0, shaded.x1], [3, 1.5]);
    assert.ok(shapes.some(({type, x0}) => type === "line" && x0 === 2));
  }
});

test("both charts have the same horizontal range", () => {
  for (const axis of Object.keys(figure.axes)) {
    assert.deepEqual(entropy.layout(scene({axis})).xaxis.range, production.layout(scene({axis})).xaxis.range);
  }
});

test("a run without a point draws nothing but its axes", () => {
  assert.ok(entropy.traces(scene({}, null)).every(({x, y}) => x.length === 0 || y.every((value) => value === null)));
  assert.ok(production.layout(scene({}, null)).yaxis.range[1] > 0);
});

test("before the first run a dotted sketch stands for the curves", () => {
  const [sketch] = entropy.traces(scene({runId: null}, null));
  assert.match(sketch.line.dash, /px/);
  assert.ok(sketch.y[0] > sketch.y[2]);
});

test("of hidden curves none is in focus while another is visible", () => {
  assert.equal(focusOf(["a", "b"], {focus: "a", hidden: new Set(["a"])}), "b");
  assert.equal(focusOf(["a", "b"], {focus: "b", hidden: new Set()}), "b");
  assert.equal(hiddenAtFirst(Array.from({length: 100}, (_, key) => ({key}))).size, 94);
  assert.equal(hiddenAtFirst([CURVE]).size, 0);
});

test("decisions and classes in one run have different colours, and classes their own", () => {
  const one = (key, path) => ({...CURVE, key, path});
  const run = {...RUN, curves: [one("classes", []), one("sides", []), one("rest.a", ["a"]), one("rest.b", ["b"])]};
  const {all} = sceneOf({figure, run, view: emptyView(run), state: STATE, theme: "light"});
  assert.equal(new Set(all.map(({color}) => color)).size, 4);
  assert.deepEqual(all.slice(2).map(({color}) => color), figure.colorway.slice(0, 2));
});

test("no colour means two things, and that of a decision does not depend on what is measured beside it", () => {
  const labels = figure.colorway.map((_, i) => `class ${i}`);
  const one = (key, path = []) => ({...CURVE, key, path});
  const coloursOf = (curves, theme) => {
    const run = {...RUN, labels, curves, spec: {...RUN.spec, partitions: {classes: null}}};
    return sceneOf({figure, run, view: emptyView(run), state: STATE, theme}).all.map(({color}) => color);
  };
  for (const theme of ["light", "dark"]) {
    const [alone] = coloursOf([one("classes")], theme);
    const several = coloursOf([one("classes"), one("sides"), ...labels.map((label) => one(`rest.${label}`, [label]))], theme);
    assert.equal(several[0], alone);
    assert.equal(new Set(several).size, several.length);
    assert.deepEqual(several.slice(2), figure.colorway);
  }
});

test("a group of one label has the colour of the label", () => {
  const run = {labels: ["a", "b", "c"], spec: {partitions: {kinds: [{name: "x", labels: ["c"]}, {name: "y", labels: ["a", "b"]}]}}};
  const [a, b, c] = labelColors(figure, run, {partition: "kinds"});
  assert.equal(c, figure.colorway[2]);
  assert.deepEqual([a === b, a === c], [true, false]);
});

test("labels of one group share its colour", () => {
  const run = {labels: ["a", "b", "c"], spec: {partitions: {kinds: [{name: "x", labels: ["a", "c"]}, {name: "y", labels: ["b"]}]}}};
  const [a, b, c] = labelColors(figure, run, {partition: "kinds"});
  assert.equal(a, c);
  assert.notEqual(a, b);
});

test("groups may name labels by their index in the model", () => {
  const groups = [{name: "x", labels: [7, "b"]}, {name: "y", labels: [2]}];
  const run = {labels: ["a", "b", "c"], spec: {partitions: {kinds: groups}}}; // indices 2, 5 and 7 of the model
  const [a, b, c] = labelColors(figure, run, {partition: "kinds"});
  assert.equal(b, c);
  assert.notEqual(a, b);
  const whole = {labels: ["a", "b"], spec: {partitions: {classes: null, kinds: [{name: "x", labels: [1]}]}}};
  assert.equal(labelColors(figure, whole, {partition: "kinds"})[0], figure.outside);
});

test("many labels have many colours", () => {
  const colors = Array.from({length: 40}, (_, i) => colour(figure, i, 40));
  assert.equal(new Set(colors).size, 40);
  assert.equal(faded("#102030", 0.5), "rgba(16, 32, 48, 0.5)");
});

test("the cursor is where it was put, else at the newest point, else at the peak", () => {
  const drawn = scene();
  const view = (state) => ({state, newest: {batch: 0, step: 2}});
  assert.equal(cursorStep({step: 0, still: false}, view("running"), drawn), 0);
  assert.equal(cursorStep({step: null, still: false}, view("running"), drawn), 2);
  assert.equal(cursorStep({step: null, still: true}, view("running"), drawn), 1);
  assert.equal(cursorStep({step: null, still: false}, view("done"), drawn), 1);
});

test("thumbnails fill the strip and show the nearest picture there is", () => {
  const strip = {axis: "sigma", ends: [4, 1], sigma: [4, 2, 1], steps: [0, 2]};
  const shown = slots(strip, 200);
  assert.equal(shown.length, 5);
  assert.equal(shown[0].step, 0);
  assert.equal(shown.at(-1).step, 2);
  assert.equal(slots({...strip, steps: [0]}, 200).length, 1);
  assert.deepEqual(slots({...strip, steps: []}, 200), []);
});

test("the ribbon's bars meet half-way and stay inside", () => {
  const [first, second] = bars({axis: "sigma", ends: [4, 1], sigma: [4, 2, 1], steps: [0, 2]}, 200);
  assert.equal(first.right, second.left);
  assert.ok(first.left >= 0 && second.right <= 200);
});

test("a sample's tile is found by columns", () => {
  assert.deepEqual(tile({columns: 4, rows: 4}, 5, 112, 112), [28, 28, 28, 28]);
  assert.equal(nearest([0, 4, 9], 6), 4);
  assert.equal(nearest([], 6), null);
});

test("a posterior's segments lie end to end, without those nobody could see", () => {
  const shown = segments([0.5, 0.001, 0.499], 100);
  assert.deepEqual(shown.map(({label}) => label), [0, 2]);
  assert.ok(Math.abs(shown[1].left - 50.1) < 1e-9);
});
