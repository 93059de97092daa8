// One sample at one noise level: its picture over its posterior as a coloured bar.

import {context} from "../lib/dom.js";
import {tile} from "../events/sprites.js";

export const BAR = 7;

/** Draw one sample into a square of `side` with the bar below it. */
export function draw(canvas, {bitmap, header, index, colors}, side) {
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
