// What the plot of the band's width shows of a sweep: the measured widths, and what the theory says. Pure.

import {decisionsOf, ratioAt, theoryWidth} from "./speciation.js";
import {variedOf, withValue} from "../protocol/varied.js";
import {bandWidth} from "./widths.js";

const THEORY_POINTS = 60;

/**
 * Return {figure, theme, varied, points, theory} for plots/widths.js, or null without a number that is varied
 * or without a measured width.
 */
export function widthsOf({figure, theme, curves, halfway}, sweep) {
  const varied = variedOf(sweep.vary).find(({values}) => values.every((value) => typeof value === "number"));
  if (!varied || !halfway) return null;
  const {low, high} = figure.halfway;
  const points = curves.flatMap((curve) => {
    const width = bandWidth(curve, low, high);
    return width ? [{...width, x: varied.values[curve.index], color: curve.color}] : [];
  });
  if (!points.length) return null;
  return {figure, theme, varied: varied.long, points, theory: theoryOf(curves, varied, [low, high].map(ratioOf))};
}

/** The theory is for two Gaussians; its line is drawn through the settings of the first run. */
function theoryOf(curves, {path, values}, ratios) {
  const {spec} = curves[0].run;
  if (decisionsOf(spec).length !== 1) return [];
  return between(Math.min(...values), Math.max(...values)).flatMap((x) => {
    const [decision] = decisionsOf(withValue(spec, path, x));
    const width = decision && theoryWidth(decision, ratios);
    return width ? [{x, ...width}] : [];
  });
}

function between(from, to) {
  const step = (i) => i / (THEORY_POINTS - 1);
  return Array.from({length: THEORY_POINTS}, (_, i) =>
    from > 0 ? from * (to / from) ** step(i) : from + (to - from) * step(i)
  );
}

/** Return a function that works each of its values out once. */
function remembering(work) {
  const known = new Map();
  return (key) => known.get(key) ?? known.set(key, work(key)).get(key);
}

const ratioOf = remembering(ratioAt); // a bisection over an integral, asked for in every drawing
