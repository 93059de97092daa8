// The decision window as shapes of a chart: shaded, with a line at the peak of production.

import {value} from "./axes.js";

/** Return the shapes of a window, none where it is not known yet. */
export function windowShapes(window, axis, colors) {
  if (!window || window.sigma_low === null || window.sigma_peak === null) return [];
  const across = {xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below"};
  const [low, high, peak] = [window.sigma_low, window.sigma_high, window.sigma_peak].map((sigma) =>
    value(axis, sigma)
  );
  return [
    {...across, type: "rect", x0: high, x1: low, fillcolor: colors.window, line: {width: 0}},
    {...across, type: "line", x0: peak, x1: peak, line: {color: colors.peak, width: 1.2, dash: "dot"}}
  ];
}
