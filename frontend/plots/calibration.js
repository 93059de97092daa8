// Whether continuations end in a class as often as the posterior said: points on the diagonal.

import {plainLayout} from "./figure.js";

/** Return the diagonal, and a point a bin of the posterior with its 95 % error bar. */
export function traces({study, figure, theme}) {
  const {entropy, bound} = figure[theme].colors;
  const {bins} = study.calibration;
  const times = figure.band.standard_errors;
  return [
    {type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], line: {color: bound, width: 1, dash: "dash"}, hoverinfo: "skip"},
    {
      type: "scatter",
      mode: "markers",
      x: bins.map(({predicted}) => predicted),
      y: bins.map(({frequency}) => frequency),
      error_y: {type: "data", array: bins.map(({se}) => times * se), color: entropy, thickness: 1.2, width: 3},
      marker: {color: entropy, size: 6},
      hoverinfo: "skip"
    }
  ];
}

export function layout({figure, theme, size}) {
  const base = plainLayout(figure, "calibration", {theme, size});
  base.xaxis.range = base.yaxis.range = [-0.04, 1.04];
  return base;
}
