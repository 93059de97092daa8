// Where pictures and posteriors lie: the strip of some samples along the noise axis, and the bar under one sample.

import {fraction, stepAt} from "./axes.js";

export const TILE = 38;
export const RIBBON = 20;
export const GAP = 8;
/** Height of the bar under one sample. */
export const BAR = 7;

/** Return the height of a strip that follows some samples. */
export const heightOf = (samples) => samples * (TILE + RIBBON + GAP) - (samples ? GAP : 0);

/** Return the places of the thumbnails, [{x, step}], evenly over the width as far as there are pictures. */
export function slots({axis, ends, sigma, steps}, width) {
  const number = Math.max(1, Math.floor(width / (TILE + 2)));
  const pitch = width / number;
  return Array.from({length: number}, (_, i) => {
    const wanted = stepAt(axis, ends, sigma, ((i + 0.5) * pitch) / width);
    return {x: i * pitch + (pitch - TILE) / 2, wanted, step: nearest(steps, wanted)};
  }).filter(({wanted}) => wanted <= (steps.at(-1) ?? -1));
}

/** Return the bars of the ribbon, [{left, right, step}], each reaching half-way to its neighbours. */
export function bars({axis, ends, sigma, steps}, width) {
  const places = steps.map((step) => fraction(axis, ends, sigma[step]) * width);
  return steps
    .map((step, i) => ({
      step,
      left: i === 0 ? places[0] : (places[i - 1] + places[i]) / 2,
      right: i === steps.length - 1 ? places[i] : (places[i] + places[i + 1]) / 2
    }))
    .filter(({left, right}) => right > 0 && left < width)
    .map(({step, left, right}) => ({step, left: Math.max(0, left), right: Math.min(width, right)}));
}

/** Return the step nearest to another among those that have a sheet, or null. */
export function nearest(steps, step) {
  if (!steps.length) return null;
  return steps.reduce((best, other) => (Math.abs(other - step) < Math.abs(best - step) ? other : best));
}

/** Return where sample `index` lies in a sheet of the given size: [x, y, width, height]. */
export function tile({columns, rows}, index, width, height) {
  const [w, h] = [width / columns, height / rows];
  return [(index % columns) * w, Math.floor(index / columns) * h, w, h];
}

/** Return the segments of a stacked bar, [{label, left, width}]; those under half a pixel are left out. */
export function segments(posterior, width) {
  let left = 0;
  return posterior
    .map((share, label) => {
      const segment = {label, left, width: share * width};
      left += segment.width;
      return segment;
    })
    .filter((segment) => segment.width >= 0.5);
}
