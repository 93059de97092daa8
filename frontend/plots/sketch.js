// A dotted sketch of what a run will show, for the page before its first run. Nothing is measured here.

const STEEPNESS = 1.7;

/** Return [entropy, production] of a made-up decision in the middle of the noise levels. */
export function sketch(sigma, bound) {
  const middle = Math.log(sigma[0] * sigma.at(-1)) / 2 + 0.15 * Math.log(sigma[0] / sigma.at(-1));
  const shares = sigma.map((level) => 1 / (1 + Math.exp(-STEEPNESS * (Math.log(level) - middle))));
  return [shares.map((p) => bound * p), shares.map((p) => bound * STEEPNESS * p * (1 - p))];
}
