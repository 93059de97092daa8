// What the theory says of two Gaussians at +-m with standard deviation s: when they speciate, how fast.

import {levelAt} from "../plots/axes.js";

const MODEL = "gaussian-mixture";
const STEP = 0.02;
const REACH = 9;
const LARGEST_R = 12;
const BISECTIONS = 60;

/**
 * Return the independent decisions of a spec's mixture, [{name, distance: |m|, std}], the widest first.
 *
 * None where the mixture is neither two Gaussians nor a tree of them.
 */
export function decisionsOf({model, params = {}}) {
  if (model !== MODEL) return [];
  const {kind = "points", std} = params;
  if (kind === "pair") return [pair(params)];
  if (kind === "tree") return tree(params);
  if (kind !== "points" || params.means?.length !== 2) return [];
  const [a, b] = params.means;
  return [{name: "", distance: Math.hypot(...a.map((x, i) => x - b[i])) / 2, std: std ?? 0.5}];
}

const pair = ({dimension = 64, offset = 1, std = 1}) => ({name: "", distance: offset * Math.sqrt(dimension), std});

const tree = ({dimension = 64, offsets = [4, 1], std = 1}) =>
  offsets
    .map((offset, level) => ({name: `level ${level + 1}`, distance: offset * Math.sqrt(dimension), std}))
    .sort((a, b) => b.distance - a.distance);

/**
 * Return when a decision is made: {sigma: |m| (VE), time (VP, null where it is before t = 0)}.
 *
 * VP signal e^-t |m| and noise are equal (r = 1) at t = 0.5 ln(1 + |m|^2 - s^2), which is 0.5 ln d for d unit offsets.
 */
export function speciation({distance, std}) {
  const growth = 1 + distance ** 2 - std ** 2;
  return {sigma: distance, time: growth > 1 ? 0.5 * Math.log(growth) : null};
}

/** Return H = E_{u ~ N(r, 1)} log2(1 + e^{-2ru}), in bits, by the trapezoid rule. */
export function twoGaussianEntropy(r) {
  let sum = 0;
  for (let u = r - REACH; u <= r + REACH; u += STEP) {
    const z = -2 * r * u;
    sum += Math.exp(-((u - r) ** 2) / 2) * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
  }
  return (sum * STEP) / Math.sqrt(2 * Math.PI) / Math.LN2;
}

/** Return the r = |m| / sqrt(s^2 + sigma^2) at which so many bits are left, 0 < bits < 1. */
export function ratioAt(bits) {
  let [low, high] = [0, LARGEST_R];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (twoGaussianEntropy(middle) > bits) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Return how wide the band between two entropies is, {time, sigma}; null where it reaches below sigma = 0. */
export function theoryWidth({distance, std}, [lowRatio, highRatio]) {
  const [low, high] = [lowRatio, highRatio].map((r) => (distance / r) ** 2 - std ** 2);
  if (low <= 0) return null;
  return {
    time: 0.5 * Math.log((1 + high) / (1 + low)),
    sigma: Math.sqrt(high) - Math.sqrt(low)
  };
}

/** Return the noise level at so many speciation times. */
export const levelAtScaled = (u, time) => levelAt(u * time);
