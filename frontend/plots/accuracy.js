// Accuracy over the noise axis: how often the likeliest class is the true one.

import {value} from "./axes.js";
import {band, line, shifted} from "./bands.js";
import {faded} from "../lib/colour.js";
import {layoutOf} from "./figure.js";

/** Return the traces: the 95 % band and the curve. */
export function traces({figure, sigma, axis, focus}) {
  const x = sigma.map((level) => value(axis, level));
  const {accuracy, accuracy_se: errors} = focus.calibration;
  const [low, high] = [-1, 1].map((sign) => shifted(accuracy, errors, sign * figure.band.standard_errors));
  return [band(x, low, high, faded(focus.color, 0.2)), line(x, accuracy, focus.color, {width: 1.8, name: "accuracy"})];
}

/** Return the layout: the scene's axis, smaller. */
export function layout({figure, axis, unit, theme, ends, size}) {
  const base = layoutOf(figure, "accuracy", {axis, unit, theme, ends, size});
  base.margin = {...base.margin, l: 46, r: 6, t: 6, b: 36};
  base.font = {...base.font, size: 11};
  base.yaxis.nticks = 4;
  base.xaxis.title.text = figure.axes[axis].short;
  return base;
}
