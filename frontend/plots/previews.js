// The preview strip under the charts: some samples along the noise axis, picture over posterior.

import {context} from "../lib/dom.js";
import {nearest, tile} from "../events/sprites.js";
import {fraction, stepAt} from "./axes.js";

export const TILE = 38;
export const RIBBON = 20;
export const GAP = 8;

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

/** Draw the strip of the followed samples. */
export function draw(canvas, {followed, sprites, colors, ...axis}, width) {
  const drawing = context(canvas, width, heightOf(followed.length));
  const scene = {...axis, steps: sprites.steps()};
  followed.forEach((sample, row) => {
    const top = row * (TILE + RIBBON + GAP);
    for (const {x, step} of slots(scene, width)) thumbnail(drawing, sprites, step, sample, x, top);
    for (const {left, right, step} of bars(scene, width)) {
      const posterior = sprites.header(step).samples[sample]?.posterior;
      if (posterior) column(drawing, posterior, colors, left, right, top + TILE + 2);
    }
  });
}

function thumbnail(drawing, sprites, step, sample, x, top) {
  const bitmap = sprites.bitmap(step);
  if (!bitmap) return;
  const from = tile(sprites.header(step), sample, bitmap.width, bitmap.height);
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(bitmap, ...from, x, top, TILE, TILE);
}

function column(drawing, posterior, colors, left, right, top) {
  const [from, to] = [Math.round(left), Math.round(right)]; // whole pixels: no seams between columns
  let y = top;
  posterior.forEach((share, label) => {
    drawing.fillStyle = colors[label];
    drawing.fillRect(from, y, to - from, share * (RIBBON - 2));
    y += share * (RIBBON - 2);
  });
}
