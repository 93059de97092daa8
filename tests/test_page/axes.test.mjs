import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import * as production from "../../frontend/plots/production.js";
import {fraction, range, shownEnds, slope, stepAt, value} from "../../frontend/plots/axes.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const AXES = ["ln_sigma", "log_snr", "vp_time"];
const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test("production is rescaled by the derivative of ln sigma along the axis", () => {
  for (const axis of AXES) {
    for (const sigma of [0.02, 0.7, 3, 80]) {
      const step = 1e-5;
      const across = value(axis, sigma * Math.exp(step)) - value(axis, sigma * Math.exp(-step));
      near(slope(axis, sigma) * Math.abs(across), 2 * step);
    }
  }
});

test("on the logarithmic sigma axis production stays per unit of ln sigma", () => {
  assert.equal(slope("sigma", 3), 1);
  assert.equal(value("sigma", 3), 3);
});

test("most noise is on the left of every axis", () => {
  for (const axis of ["sigma", ...AXES]) {
    assert.ok(fraction(axis, [80, 0.02], 80) < 0.02);
    assert.ok(fraction(axis, [80, 0.02], 0.02) > 0.98);
    assert.equal(range(axis, [80, 0.02]).length, 2);
  }
});

test("the step under a place is the one drawn nearest", () => {
  const sigma = [80, 8, 0.8, 0.08];
  for (const axis of ["sigma", ...AXES]) {
    sigma.forEach((level, step) => assert.equal(stepAt(axis, [80, 0.08], sigma, fraction(axis, [80, 0.08], level)), step));
  }
});

test("the window is shown with room on both sides, inside the noise levels", () => {
  const sigma = [80, 8, 0.8, 0.08];
  assert.deepEqual(shownEnds(sigma, null), [80, 0.08]);
  const [high, low] = shownEnds(sigma, {sigma_high: 8, sigma_low: 0.1});
  near(high, 32);
  near(low, 0.08);
});

/** Return the layout of a curve that decides at sigma 4 and has nothing but noise at 0.05. */
function layoutOf(axis) {
  const noise = {production: [0.2, 0.8, 0.1, 0.002], production_band: [0.1, 0.1, 0.05, 0.01]};
  const curve = {...noise, focus: true, color: "#000000", productionColor: "#000000", title: "all"};
  const window = {sigma_peak: 4, sigma_low: 1, sigma_high: 8};
  const scene = {figure, theme: "light", axis, unit: "bits", sigma: [8, 4, 1, 0.05], ends: [8, 0.05], window, curves: [curve], focus: curve};
  return production.layout(scene);
}

test("in VP time the chart of production is as high as what stands out of its noise", () => {
  const [, high] = layoutOf("vp_time").yaxis.range;
  near(high, 1.2 * 0.8 * (1 + 1 / 16));
});

test("the peak is told in the unit of the axis, and of which density it is where that matters", () => {
  const textOn = (axis) => layoutOf(axis).annotations[0].text;
  assert.deepEqual(
    ["sigma", "ln_sigma", "log_snr", "vp_time"].map(textOn),
    ["peak at σ = 4", "peak at ln σ = 1.39", "peak at log-SNR = −2.77", "peak at t = 1.42 (per ln σ)"]
  );
});
