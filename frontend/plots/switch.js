// How often the picture follows a label that is changed at a noise level.

import {value} from "./axes.js";
import {layoutOf} from "./figure.js";
import {windowShapes} from "./window.js";

/** Return the curve of shares with its 95 % error bars. */
export function traces({study, figure, theme, axis}) {
  const {entropy: color} = figure[theme].colors;
  const times = figure.band.standard_errors;
  return [
    {
      type: "scatter",
      mode: "lines+markers",
      x: study.levels.map(({sigma}) => value(axis, sigma)),
      y: study.levels.map(({followed}) => followed),
      error_y: {type: "data", array: study.levels.map(({se}) => times * se), color, thickness: 1.2, width: 3},
      line: {color, width: 2},
      marker: {color, size: 6},
      hoverinfo: "skip"
    }
  ];
}

/** Return the layout: the window shaded, one half and the crossover marked. */
export function layout({study, figure, axis, unit, theme, ends, size, window}) {
  const colors = figure[theme].colors;
  const base = layoutOf(figure, "switch", {axis, unit, theme, ends, size});
  base.yaxis.range = [-0.04, 1.08];
  const half = {type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: 0.5, y1: 0.5, layer: "below"};
  base.shapes = [
    ...windowShapes(window, axis, colors),
    {...half, line: {color: colors.bound, width: 1, dash: "dash"}},
    ...crossoverShapes(study.crossover, axis, colors, figure.band.standard_errors)
  ];
  return base;
}

function crossoverShapes(crossover, axis, colors, times) {
  if (!crossover) return [];
  const {sigma, error} = crossover;
  const across = {xref: "x", yref: "paper", y0: 0, y1: 1};
  const [low, high] = [Math.max(sigma / 10, sigma - times * error), sigma + times * error];
  return [
    {...across, type: "rect", layer: "below", x0: value(axis, high), x1: value(axis, low), fillcolor: colors.entropy, opacity: 0.15, line: {width: 0}},
    {...across, type: "line", x0: value(axis, sigma), x1: value(axis, sigma), line: {color: colors.entropy, width: 1.4}}
  ];
}
