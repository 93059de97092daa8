// H over the noise axis: curves with their bands, the prior's bound, the window.

import {unitFactor, value} from "./axes.js";
import {band, dotted, largest, line, scaled, shifted} from "./bands.js";
import {faded, layoutOf} from "./figure.js";
import {sketch} from "./sketch.js";
import {windowShapes} from "./window.js";

export const draw = (element, scene) =>
  Plotly.react(element, traces(scene), layout(scene), {staticPlot: true, displayModeBar: false});

/** Return the traces: bands of the curve in focus, then every visible curve. */
export function traces({figure, sigma, curves, axis, unit, cross, sketched}) {
  const x = sigma.map((level) => value(axis, level));
  const factor = unitFactor(unit);
  if (sketched) {
    return curves.slice(0, 1).map(({bound, color}) => dotted(x, scaled(sketch(sigma, bound)[0], factor), color));
  }
  return curves.flatMap((curve) => [
    ...(curve.focus ? bands(figure, x, curve, factor) : []),
    ...(cross === "yes" ? [crossLine(x, curve, factor)] : []),
    line(x, scaled(curve.entropy, factor), curve.color, {
      width: curve.focus ? 2.4 : 1.4,
      markers: curve.focus,
      name: curve.title
    })
  ]);
}

/** Return the layout, as high as the largest bound of what is shown. */
export function layout({figure, curves, axis, unit, theme, ends, size, window}) {
  const colors = figure[theme].colors;
  const factor = unitFactor(unit);
  const top = Math.max(0.01, ...curves.map((curve) => factor * Math.max(curve.bound, largest(curve.entropy))));
  const {bound, floor} = curves.find((curve) => curve.focus) ?? {};
  const base = layoutOf(figure, "entropy", {axis, unit, theme, ends, size});
  base.yaxis.range = [0, 1.1 * top];
  base.shapes = [...windowShapes(window, axis, colors), ...level(bound, factor, colors), ...level(floor?.entropy, factor, colors)];
  base.annotations = [...boundText(bound, factor, unit, colors), ...floorText(floor, factor, unit, colors)];
  return base;
}

function bands(figure, x, curve, factor) {
  const times = figure.band.standard_errors;
  const steps = curve.entropy_step_error.map((error) => error ?? 0);
  const wide = [-1, 1].map((sign) =>
    shifted(curve.entropy, curve.entropy_se.map((se, i) => times * (se ?? NaN) + steps[i]), sign, factor)
  );
  const narrow = [-1, 1].map((sign) => shifted(curve.entropy, curve.entropy_se, sign * times, factor));
  return [
    band(x, ...wide, faded(curve.color, 0.13)),
    band(x, ...narrow, faded(curve.color, 0.26))
  ];
}

function crossLine(x, curve, factor) {
  return line(x, scaled(curve.cross_entropy, factor), curve.color, {
    width: 1.4,
    dash: "4px,3px",
    name: `${curve.title}, cross-entropy`
  });
}

function level(entropy, factor, colors) {
  if (entropy === undefined || entropy === null) return [];
  const y = entropy * factor;
  const across = {type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: y, y1: y, layer: "below"};
  return [{...across, line: {color: colors.bound, width: 1, dash: "dash"}}];
}

function boundText(bound, factor, unit, colors) {
  if (bound === undefined) return [];
  const place = {xref: "paper", x: 1, xanchor: "right", yref: "y", y: bound * factor, yanchor: "bottom"};
  const text = `prior: ${(bound * factor).toFixed(2)} ${unit}`;
  return [{...place, text, showarrow: false, font: {size: 11, color: colors.bound}}];
}

/** Say where a curve of pairs ends; the log-ratio to the unconditional branch cannot exceed log 1/prior. */
function floorText(floor, factor, unit, colors) {
  if (typeof floor?.entropy !== "number") return [];
  const at = (bits) => (bits * factor).toFixed(2);
  const why = floor.expected === null ? "" : ` (${at(floor.expected)} where the networks agree exactly)`;
  const place = {xref: "paper", x: 0, xanchor: "left", yref: "y", y: floor.entropy * factor, yanchor: "bottom"};
  return [{...place, text: `floor: ${at(floor.entropy)} ${unit}${why}`, showarrow: false, font: {size: 11, color: colors.bound}}];
}
