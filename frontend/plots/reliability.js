// The reliability diagram: of the answers with some posterior, how many are right. On the diagonal: calibrated.

import {faded} from "../lib/colour.js";
import {merge} from "./figure.js";

/** Return the traces at a step: the diagonal (calibrated), a bar per bin, and a point where its answers lie. */
export function traces({figure, theme, focus, step}) {
  const {edges, count, confidence, accuracy} = focus.calibration.reliability;
  const color = focus.color;
  const most = Math.max(1, ...count[step]);
  const filled = count[step].map((_, bin) => bin).filter((bin) => count[step][bin] > 0);
  const diagonal = {color: figure[theme].colors.bound, width: 1, dash: "dash"};
  return [
    {type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], line: diagonal, hoverinfo: "skip"},
    {
      type: "bar",
      x: filled.map((bin) => (edges[bin] + edges[bin + 1]) / 2),
      y: filled.map((bin) => accuracy[step][bin]),
      width: filled.map((bin) => 0.94 * (edges[bin + 1] - edges[bin])),
      marker: {color: filled.map((bin) => faded(color, 0.15 + 0.45 * (count[step][bin] / most)))},
      hoverinfo: "skip"
    },
    {
      type: "scatter",
      mode: "markers",
      x: filled.map((bin) => confidence[step][bin]),
      y: filled.map((bin) => accuracy[step][bin]),
      error_y: {type: "data", array: filled.map((bin) => interval(figure, accuracy[step][bin], count[step][bin])), color, thickness: 1, width: 2},
      marker: {color, size: 6},
      name: "reliability",
      hoverinfo: "skip"
    }
  ];
}

/** Return the layout: both axes are shares. */
export function layout({figure, theme, size}) {
  const base = merge(figure.common, figure[theme].layout, figure.reliability.layout);
  base.margin = {...base.margin, l: 46, r: 6, t: 6, b: 36};
  base.font = {...base.font, size: 11};
  base.bargap = 0;
  return {...base, ...size};
}

/** Half the 95 % interval of a share; one more of each kind keeps it wide where few were asked. */
function interval(figure, share, n) {
  const smoothed = (share * n + 1) / (n + 2);
  return figure.band.standard_errors * Math.sqrt((smoothed * (1 - smoothed)) / (n + 2));
}
