// The noise axis: from sigma to where a point is drawn, and what a density is multiplied by there.

import {quantity} from "../protocol/quantities.js";

const AXES = {
  sigma: {value: (sigma) => sigma, coordinate: Math.log10, slope: () => 1}, // logarithmic: per unit of ln sigma
  ln_sigma: {value: Math.log, coordinate: Math.log, slope: () => 1},
  log_snr: {value: (sigma) => -2 * Math.log(sigma), coordinate: (sigma) => -2 * Math.log(sigma), slope: () => 0.5},
  vp_time: {value: vpTime, coordinate: vpTime, slope: (sigma) => 1 + 1 / sigma ** 2},
  scaled_time: {value: scaledTime, coordinate: scaledTime, slope: (sigma, time) => time * (1 + 1 / sigma ** 2)}
};
const MARGIN = 0.012;
const WINDOW_ROOM = Math.log(4);

/** Return the coordinate of a noise level on an axis; `time` is the VP time that scaled_time counts in. */
export const value = (axis, sigma, time = 1) => AXES[axis].value(sigma, time);

/** Return |d ln sigma / d axis|, the factor of a production per unit of ln sigma. */
export const slope = (axis, sigma, time = 1) => AXES[axis].slope(sigma, time);

/** Return the noise level at a VP time. */
export const levelAt = (time) => Math.sqrt(Math.expm1(2 * time));

/** Return the noise levels that a curve of a scene is drawn at: its own, or the run's. */
export const placesOf = ({axis, sigma}, curve) =>
  (curve.sigma ?? sigma).map((level) => value(axis, level, curve.time));

/** Return the factor from bits to a unit. */
export const unitFactor = (unit) => (unit === "nats" ? Math.LN2 : 1);

/** Return the factor from a quantity in bits, per ln sigma if it is a rate, to what is shown at a noise level. */
export const factorOf = (name, sigma, {axis, unit, time}) =>
  unitFactor(unit) * (quantity(name).is_rate ? slope(axis, sigma, time) : 1);

/** Return the range of an axis in Plotly's terms, most noise on the left: [left, right]. */
export function range(axis, [high, low], time = 1) {
  const [left, right] = [high, low].map((level) => AXES[axis].coordinate(level, time));
  const room = MARGIN * (right - left);
  return [left - room, right + room];
}

/** Return the noise levels at both ends of what is shown: all, or the window with some room. */
export function shownEnds(sigma, window) {
  const [high, low] = [sigma[0], sigma[sigma.length - 1]];
  if (!window || window.sigma_low === null || window.sigma_high === null) return [high, low];
  const room = Math.exp(WINDOW_ROOM);
  return [Math.min(high, window.sigma_high * room), Math.max(low, window.sigma_low / room)];
}

/** Return how far from the left a noise level is drawn, 0 to 1 inside the range. */
export function fraction(axis, ends, sigma, time = 1) {
  const [left, right] = range(axis, ends, time);
  return (AXES[axis].coordinate(sigma, time) - left) / (right - left);
}

/** Return the step whose noise level is drawn nearest to a fraction of the width. */
export function stepAt(axis, ends, sigma, wanted, time = 1) {
  const distance = sigma.map((level) => Math.abs(fraction(axis, ends, level, time) - wanted));
  return distance.indexOf(Math.min(...distance));
}

function vpTime(sigma) {
  return 0.5 * Math.log1p(sigma ** 2);
}

function scaledTime(sigma, time) {
  return vpTime(sigma) / time;
}
