// Drawing pictures and posteriors onto canvases: the strip under the charts, and one sample.

import {context} from "../lib/dom.js";
import {BAR, bars, GAP, heightOf, RIBBON, segments, slots, TILE, tile} from "../plots/previews.js";

/** Draw the strip of the followed samples. */
export function drawStrip(canvas, {followed, sprites, colors, ...axis}, width) {
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

/** Draw one sample into a square of `side` with the bar below it. */
export function drawSample(canvas, {bitmap, header, index, colors}, side) {
  const drawing = context(canvas, side, side + BAR + 2);
  if (bitmap) {
    const from = tile(header, index, bitmap.width, bitmap.height);
    drawing.imageSmoothingQuality = "high";
    drawing.drawImage(bitmap, ...from, 0, 0, side, side);
  }
  const posterior = header.samples[index].posterior;
  if (posterior) segments(posterior, side).forEach(({left, width, label}) => {
    drawing.fillStyle = colors[label];
    drawing.fillRect(left, side + 2, width, BAR);
  });
}
