// How wide the band between two entropies is, read off a measured curve by interpolation. Pure.

/**
 * Return where a curve passes an entropy: {sigma, error}, half of a 95 % interval, or null where it does not.
 *
 * H is taken as linear in ln sigma between two steps; of several crossings (noise) the middle one counts.
 */
export function crossing({sigma, entropy, entropy_band: half}, bits) {
  const crossings = [];
  for (let i = 1; i < sigma.length; i++) {
    const [above, below] = [entropy[i - 1], entropy[i]];
    if (!isNumber(above) || !isNumber(below) || above === below || (above - bits) * (below - bits) > 0) continue;
    if (above === bits && i > 1) continue; // a point on the level belongs to the segment before it
    const share = (above - bits) / (above - below);
    const lnSigma = Math.log(sigma[i - 1]) + share * Math.log(sigma[i] / sigma[i - 1]);
    const slope = (above - below) / Math.log(sigma[i - 1] / sigma[i]);
    const off = (1 - share) * (half[i - 1] ?? 0) + share * (half[i] ?? 0);
    crossings.push({sigma: Math.exp(lnSigma), error: off / Math.abs(slope)});
  }
  return crossings[Math.floor(crossings.length / 2)] ?? null;
}

/**
 * Return how wide the band of a curve is: {time, timeError, sigma, sigmaError} in VP time and in sigma, or null.
 *
 * Errors are half of a 95 % interval; those of both ends are taken as independent, which is on the safe side, for
 * they come from the same trajectories.
 */
export function bandWidth(curve, low, high) {
  const ends = [crossing(curve, low), crossing(curve, high)];
  if (ends.includes(null)) return null;
  const [from, to] = ends;
  const timeErrors = ends.map(({sigma, error}) => (error * sigma ** 2) / (1 + sigma ** 2));
  return {
    time: 0.5 * Math.log((1 + to.sigma ** 2) / (1 + from.sigma ** 2)),
    timeError: Math.hypot(...timeErrors),
    sigma: to.sigma - from.sigma,
    sigmaError: Math.hypot(...ends.map(({sigma, error}) => error * sigma))
  };
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
