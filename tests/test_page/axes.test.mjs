import assert from "node:assert/strict";
import {test} from "node:test";
import {fraction, range, shownEnds, slope, stepAt, value} from "../../frontend/plots/axes.js";

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
