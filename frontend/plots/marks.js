// Marks of the theory: where a mixture speciates, and the bits around half a decision.

import {unitFactor, value} from "./axes.js";
import {number} from "../lib/format.js";

/** The width of a letter and, before a chart has a size, of a chart, in pixels. */
const LETTER = 5.8;
const WIDTH = 700;

/** Return the vertical lines of a scene's marks, one a place; without marks there are none. */
export const markShapes = ({marks = [], axis}) =>
  placed(marks, axis).map(({at, color}) => ({
    type: "line", xref: "x", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, layer: "below",
    line: {color, width: 1.4, dash: "dot"}
  }));

/** Return what stands beside the lines, at the top of a chart of some range; what would overlap is left out. */
export function markTexts({figure, marks = [], axis, size}, [left, right]) {
  const log = figure.axes[axis].layout.type === "log";
  const {l, r} = figure.common.margin;
  const pixels = ((size?.width ?? WIDTH) - l - r) / (right - left);
  const texts = placed(marks, axis)
    .map((line) => ({...line, x: log ? Math.log10(line.at) : line.at, text: textOf(line.mark, axis)}))
    .map((label) => ({...label, from: (label.x - left) * pixels, width: LETTER * label.text.length}))
    .sort((a, b) => a.from - b.from);
  let free = 0;
  return texts.flatMap(({x, text, from, width, color}) => {
    const flipped = from + width > (right - left) * pixels;
    const start = flipped ? from - width : from;
    if (start < free) return [];
    free = start + width;
    return [{
      xref: "x", x, yref: "paper", y: 1, yanchor: "top", showarrow: false, text, font: {size: 11, color},
      xanchor: flipped ? "right" : "left", xshift: flipped ? -3 : 3
    }];
  });
}

/** Return the shaded band of half-made decisions, where one bit at most is to be decided. */
export function halfway({figure, theme, unit, halfway: shown}) {
  if (!shown) return [];
  const [y0, y1] = [figure.halfway.low, figure.halfway.high].map((bits) => bits * unitFactor(unit));
  const fillcolor = figure[theme].colors.halfway;
  return [{type: "rect", xref: "paper", x0: 0, x1: 1, yref: "y", y0, y1, fillcolor, line: {width: 0}, layer: "below"}];
}

export function halfwayText({figure, theme, unit, halfway: shown}) {
  if (!shown) return [];
  const color = figure[theme].colors.bound;
  const y = ((figure.halfway.low + figure.halfway.high) / 2) * unitFactor(unit);
  const anchor = {xref: "paper", x: 0, xanchor: "left", xshift: 4, yref: "y", y, yanchor: "middle"};
  return [{...anchor, text: figure.halfway.text, showarrow: false, font: {size: 11, color}}];
}

/** Return {mark, at, color} for every place on the axis that has a mark; of marks at one place, the first. */
function placed(marks, axis) {
  const byPosition = new Map();
  for (const mark of marks) {
    const at = positionOf(mark, axis);
    if (at === null) continue;
    const key = at.toFixed(6);
    if (!byPosition.has(key)) byPosition.set(key, {mark, at, color: mark.color});
  }
  return [...byPosition.values()];
}

/** VP speciates at its own time, VE at its own noise level: the axis says which process is meant. */
function positionOf({time, sigma, unitTime}, axis) {
  if (axis === "vp_time") return time;
  if (axis === "scaled_time") return time === null ? null : time / unitTime;
  return value(axis, sigma);
}

function textOf({time, sigma, name}, axis) {
  const position = {vp_time: `tₛ = ${number(time)}`, scaled_time: "tₛ"}[axis] ?? `σ = ${number(sigma)}`;
  return name && axis !== "scaled_time" ? `${name}: ${position}` : position;
}
