import assert from "node:assert/strict";
import {test} from "node:test";
import {count, duration, measured, number, plural, queuePlace, shortened, when} from "../../frontend/lib/format.js";
import {grouped, rows} from "../../frontend/panels/checks.js";
import {connectionText, workersText} from "../../frontend/panels/connection.js";
import {aboutText, progressText} from "../../frontend/panels/head.js";
import {readout} from "../../frontend/panels/legend.js";
import {hasComplements, typedPrior} from "../../frontend/panels/complement_prior.js";
import {statusText} from "../../frontend/panels/runs.js";
import {best} from "../../frontend/protocol/quantities.js";
import {decision} from "../../frontend/protocol/decision.js";
import {describe, firstFollowed, grid, keyOf, places, sharing} from "../../frontend/panels/samples.js";

const PROGRESS = {trajectories: 48, total: 256, fraction: 0.2, seconds_left: 40};
const RUN = {
  state: "running", progress: PROGRESS, position: null, labels: ["a", "b"], curves: [], reason: null, extends: null,
  sigma: [80, 1, 0.02],
  spec: {partitions: {classes: null}, schedule: {steps: 32, sigma_max: 80, sigma_min: 0.02}, seed: 0, trajectories: 256}
};

test("numbers are as long as they need to be", () => {
  assert.deepEqual([0, 80, 0.02, 3.14159, -1.5, 0.0004, 123456, null].map(number), ["0", "80", "0.02", "3.14", "−1.5", "0.00040", "1.2e5", "–"]);
  assert.equal(measured(1.23456, 0.0213), "1.235 ± 0.021");
  assert.equal(measured(null, 0.1), "–");
  assert.equal(count(81920), "81,920");
  assert.equal(plural(1, "worker"), "1 worker");
  assert.match(when(0, 3600), /\d/);
  assert.match(when(0, Date.UTC(2026, 5, 1)), /19(70|69)/);
});

test("an error that is 0 or too small to matter makes no row of zeros", () => {
  assert.equal(measured(3.321928, 0), "3.322");
  assert.equal(measured(0, 1e-9), "0.0000 ± <0.0001");
  assert.equal(measured(50.7812, 3.1341, 0), "50.8 ± 3.1");
  assert.equal(measured(0.31234, 0.00042), "0.31234 ± 0.00042");
});

test("times are told in the unit one would use", () => {
  assert.deepEqual([0.3, 45, 600, 7300, null].map(duration), ["under 1 s", "45 s", "10 min", "2 h 2 min", ""]);
});

test("places in the queue are ordinal", () => {
  assert.deepEqual([0, 1, 2, 10, 20].map(queuePlace), ["next in the queue", "2nd in the queue", "3rd in the queue", "11th in the queue", "21st in the queue"]);
});

test("a run's line says what one wants to know in its state", () => {
  assert.equal(statusText(RUN), "40 s left");
  assert.equal(statusText({...RUN, state: "queued", position: 1}), "2nd in the queue");
  assert.equal(statusText({...RUN, state: "cancelled"}), "cancelled at 48 of 256");
  assert.equal(decision(RUN), "all 2 classes");
  assert.equal(decision({...RUN, spec: {partitions: {rest: "each-vs-rest"}}}), "each class against the rest");
  const pairs = {partitions: {rest: "each-vs-rest"}, complement: "unconditional"};
  assert.equal(decision({...RUN, spec: pairs}), "each class against the unconditional branch");
});

test("the head tells how far a run is, and why it failed", () => {
  const view = {state: "running", trajectories: 48, worker: {name: "w1"}};
  assert.equal(progressText(RUN, view), "48 of 256 trajectories on w1, 40 s left");
  assert.equal(progressText(RUN, {...view, state: "failed", reason: "out of memory"}), "failed: out of memory");
  assert.match(progressText(RUN, {...view, state: "done"}), /target error met/);
  assert.match(aboutText(RUN), /3 steps, σ 80 to 0.02/);
  const placed = {...RUN, spec: {...RUN.spec, schedule: {sigmas: RUN.sigma}}};
  assert.match(aboutText(placed), /3 placed steps, σ 80 to 0.02/);
});

test("trajectories under way are counted beside those of whole batches", () => {
  const curves = {classes: {n: [64, 64, 48]}};
  const view = {state: "running", trajectories: 48, worker: null, sigma: [80, 1, 0.02], newest: {batch: 1, step: 1}, curves};
  assert.equal(progressText(RUN, view), "48 of 256 trajectories, 16 under way at σ = 1, 40 s left");
  assert.match(progressText(RUN, {...view, state: "cancelled"}), /^cancelled after 48 of 256 trajectories; the curves show 16 more/);
  assert.equal(progressText(RUN, {...view, newest: {batch: 0, step: 2}}), "48 of 256 trajectories, 40 s left");
});

test("a check without a bound has not failed", () => {
  const check = (name, ok, bound) => ({name, ok, value: 0.416, bound, explanation: "why"});
  const [unknown] = grouped([check("production_integral[a]", false, null)]);
  assert.equal(unknown.ok, null);
  assert.equal(rows(unknown, {})[0].text, "a: not measured");
  assert.equal(grouped([{...check("production_integral[a]", null, 1)}])[0].ok, null);
  const [mixed] = grouped([check("production_integral[a]", false, null), check("production_integral[b]", true, 1)]);
  assert.equal(mixed.ok, true);
  assert.equal(rows(mixed, {}).at(-1).ok, true);
});

test("checks of one name are one badge, failed if one failed", () => {
  const check = (name, ok) => ({name, ok, value: ok ? 0 : 9, bound: 1, explanation: "why"});
  const [bounds, other] = grouped([check("entropy_bounds[a]", true), check("entropy_bounds[b]", false), check("new_check", true)]);
  assert.equal(bounds.ok, false);
  assert.equal(other.title, "new check");
  assert.deepEqual(rows(bounds, {b: "Bag"}).map(({text}) => text), ["Bag: 9, at most 1", "a: 0, at most 1"]);
});

test("the connection says the worst that is known", () => {
  assert.equal(connectionText({reachable: false, stream: "live"})[0], "lost");
  assert.equal(connectionText({reachable: true, stream: "live"})[0], "live");
  assert.match(connectionText({reachable: true, stream: "waiting", waitMs: 2000})[1], /2 s/);
  assert.equal(workersText([]), "no worker");
  assert.equal(workersText([{device: "cpu (x86_64)"}, {device: "cpu (x86_64)"}]), "2 workers on cpu");
});

test("the read-out is in the unit and per the axis that is shown", () => {
  const curve = best({path: [], entropy: [1], entropy_se: [0.05], production: [0.5], production_se: [0.05]}, 2);
  const shown = readout(curve, 0, {sigma: [2], axis: "log_snr", unit: "bits", per: "log-SNR"});
  assert.equal(shown.entropy, "H = 1.00 ± 0.10 bits");
  assert.equal(shown.production, "production = 0.250 ± 0.050 bits per log-SNR");
});

test("the read-out tells the 95 % band, and its parts beside the plain mean", () => {
  const plain = {path: [], entropy: [1], entropy_se: [0.1], production: [0.5], production_se: [0.1]};
  const more = {entropy_combined: [0.9], entropy_combined_se: [0.05], entropy_combined_step_error: [0.02]};
  const rate = {production_combined: [0.4], production_combined_se: [0.01], production_combined_step_error: [null]};
  const shown = readout(best({...plain, ...more, ...rate}, 2), 0, {sigma: [2], axis: "sigma", unit: "bits", per: "ln σ"});
  assert.deepEqual([shown.entropy, shown.error], ["H = 0.90 ± 0.12 bits", "± 95 %"]);
  assert.equal(shown.parts[0], "H: plain mean 1, 95 % = noise 0.1 + left by steps 0.02");
  assert.match(shown.parts[1], /plain mean 0\.5, 95 % = noise 0\.02 \+ left by steps 0$/);
  const early = readout({...best(plain, 2), provisional: true}, 0, {sigma: [2], axis: "sigma", unit: "bits", per: "ln σ"});
  assert.deepEqual([early.entropy, early.error], ["H = 1.00 ± 0.20 bits", "provisional, ± 95 %"]);
});

test("the read-out names the group that a curve lies in, and how many trajectories count there", () => {
  const curve = {path: ["kinds", "tops"], n: [1024], entropy: [1], entropy_band: [0.1], production: [0.5], production_band: [0.1]};
  assert.equal(readout(curve, 0, {sigma: [2], axis: "sigma", unit: "bits", per: "ln σ"}).sigma, "tops, σ = 2, n = 1,024");
});

test("the strip follows samples of different labels first", () => {
  assert.deepEqual(firstFollowed([{label: "a"}, {label: "a"}, {label: "b"}]), [0, 2]);
  assert.deepEqual(grid(16, 256).columns, 4);
  assert.deepEqual(grid(64, 256).columns, 8);
});

test("of many classes the key explains those of the samples first", () => {
  const labels = Array.from({length: 40}, (_, i) => `class ${i}`);
  const shown = keyOf(labels, [{label: "class 30"}, {label: "class 7"}, {label: "class 30"}]);
  assert.deepEqual([shown.length, ...shown.slice(0, 3)], [12, "class 7", "class 30", "class 0"]);
  assert.deepEqual(keyOf(labels.slice(0, 12), [{label: "class 3"}]), labels.slice(0, 12));
});

test("samples of one noise stand side by side", () => {
  const samples = Array.from({length: 8}, (_, i) => ({label: i % 2 ? "b" : "a", posterior: null, pair: i >> 1}));
  assert.equal(sharing(samples), 2);
  const {template, side, columnOf} = places(samples, 300);
  assert.equal(template, `repeat(2, ${side}px) 8px repeat(2, ${side}px)`);
  assert.deepEqual(samples.map((_, i) => columnOf(i)), ["1", "2", "4", "5", "1", "2", "4", "5"]);
  assert.ok(4 * side + 8 + 4 * 6 <= 300);
  assert.deepEqual(firstFollowed(samples), [0, 1]);
  assert.equal(describe(samples[3], 3, ["a", "b"]), "Noise 2: b");
  const alone = places([{label: "a", posterior: null}], 300);
  assert.deepEqual([alone.template, alone.columnOf(0)], ["repeat(1, 300px)", ""]);
});

test("a long name keeps its beginning and its end", () => {
  assert.equal(shortened("A wooden chair"), "A wooden chair");
  const short = shortened("A wooden chair in front of blue walls, a painting by an old master", 40);
  assert.match(short, /^A wooden chair.*….*old master$/);
  assert.ok(short.length <= 40);
});

test("a sample is described with its posterior, where there is one", () => {
  assert.equal(describe({label: "a", posterior: [0.1, 0.9]}, 0, ["a", "b"]), "Sample 1: a; posterior 90 % b");
  assert.equal(describe({label: "a", posterior: null}, 0, ["a"]), "Sample 1: a");
  const committed = {final: "a", contender: "b", peak: 0.4, sigmas: [2, null]};
  const text = describe({label: "a", posterior: null}, 0, ["a"], committed);
  assert.equal(text, "Sample 1: a; committed to a below σ = 2, nearly b (40 %)");
  assert.match(describe({label: "a", posterior: null}, 0, ["a"], {...committed, sigmas: [null, null]}), /never committed/);
});

test("the prior of a pair can be chosen once an each-vs-rest run is finished", () => {
  const pairs = {...RUN, spec: {...RUN.spec, partitions: {rest: "each-vs-rest"}}};
  assert.ok(hasComplements(pairs, {state: "done", batches: 2}));
  assert.ok(!hasComplements(pairs, {state: "running", batches: 2}));
  assert.ok(!hasComplements(pairs, {state: "cancelled", batches: 0}));
  assert.ok(!hasComplements(RUN, {state: "done", batches: 2}));
  assert.deepEqual([typedPrior(" 0.2 "), typedPrior("")], [0.2, null]);
});
