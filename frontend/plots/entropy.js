// H over the noise axis: curves with their bands, the prior's bound, the window.

import {best, quantity} from "../protocol/quantities.js";
import {placesOf, unitFactor, value} from "./axes.js";
import {dotted, errorBands, exactLine, largest, line, lineStyle, plainLines, scaled} from "./bands.js";
import {layoutOf} from "./figure.js";
import {halfway, halfwayText, markShapes} from "./marks.js";
import {sketch} from "./sketch.js";
import {windowShapes} from "./window.js";

const MOST_OF_BOUND = 1.5;

/** Return the traces: exact curves, the band of the curve in focus, then every visible curve. */
export function traces(scene) {
  const {figure, theme, curves, axis, unit, cross, sigma, modelPaths = null} = scene;
  const factor = unitFactor(unit);
  if (scene.sketched) {
    return curves.slice(0, 1).map((curve) =>
      dotted(placesOf(scene, curve), scaled(sketch(sigma, curve.bound)[0], factor), curve.color)
    );
  }
  return [...exactLines(scene, factor), ...curves.flatMap((curve) => {
    const x = placesOf(scene, curve);
    const shown = {color: curve.color, parts: scene.parts, drawn: (values) => scaled(values, factor)};
    return [
      ...(curve.focus || curve.banded ? errorBands(x, curve, "entropy", shown) : []),
      ...(curve.focus ? plainLines(x, curve, "entropy", shown) : []),
      ...modelLine(modelPaths, curve, {axis, factor, figure, color: figure[theme].colors.bound}),
      ...(cross === "yes" || curve.calibration ? [crossLine(x, curve, factor)] : []),
      ...(curve.calibration && curve.focus ? [correctedPoints(x, curve, factor, figure)] : []),
      line(x, scaled(curve.entropy, factor), curve.color, lineStyle(curve))
    ];
  })];
}

/** Return the layout, as high as the largest bound of what is shown. */
export function layout(scene) {
  const {figure, curves, axis, unit, theme, window} = scene;
  const colors = figure[theme].colors;
  const factor = unitFactor(unit);
  const top = Math.max(0.01, ...curves.map((curve) => factor * highest(curve)));
  const {bound, floor} = curves.find((curve) => curve.focus) ?? {};
  const base = layoutOf(figure, "entropy", scene);
  base.yaxis.range = [0, 1.1 * top];
  base.shapes = [
    ...halfway(scene),
    ...windowShapes(window, axis, colors),
    ...markShapes(scene),
    ...level(bound, factor, colors),
    ...level(floor?.entropy, factor, colors)
  ];
  base.annotations = [
    ...boundText(bound, factor, unit, colors),
    ...floorText(floor, factor, unit, colors),
    ...halfwayText(scene)
  ];
  return base;
}

function exactLines({figure, theme, axis, curves}, factor) {
  const {exact: color} = figure[theme].colors;
  return curves.filter(({exact}) => exact).map(({exact, title, time}) =>
    exactLine(placesOf({axis, sigma: exact.sigma}, {time}), scaled(exact.entropy, factor), color, title)
  );
}

/** The cross-entropy of data may exceed the prior's entropy: the chart grows with it, up to a limit. */
function highest({bound, entropy, cross_entropy: cross, calibration}) {
  const surprise = calibration ? largest(cross, calibration.cross_entropy_corrected) : 0;
  return Math.max(bound, largest(entropy), Math.min(surprise, MOST_OF_BOUND * bound));
}

/** On data: the entropy that paths of the model itself have, from another run. */
function modelLine(modelPaths, {key}, {axis, factor, figure, color}) {
  const curve = modelPaths?.curves[key];
  if (!curve) return [];
  const x = modelPaths.sigma.map((level) => value(axis, level));
  return [dotted(x, scaled(best(curve, figure.band.standard_errors).entropy, factor), color)];
}

/** On data: the cross-entropy without the error of the steps, with its 95 % interval. */
function correctedPoints(x, {calibration, color, title}, factor, figure) {
  const {cross_entropy_corrected: values, cross_entropy_corrected_se: errors} = calibration;
  const known = values.map((_, i) => i).filter((i) => values[i] !== null);
  const times = factor * figure.band.standard_errors;
  return {
    type: "scatter",
    mode: "markers",
    x: known.map((i) => x[i]),
    y: known.map((i) => factor * values[i]),
    error_y: {type: "data", array: known.map((i) => times * (errors[i] ?? 0)), color, thickness: 1, width: 2},
    marker: {color, size: 6, symbol: "x-thin", line: {color, width: 1.6}},
    name: `${title}, ${quantity("cross_entropy").title}, corrected for the steps`,
    hoverinfo: "skip"
  };
}

function crossLine(x, curve, factor) {
  return line(x, scaled(curve.cross_entropy, factor), curve.color, {
    width: 1.4,
    dash: "4px,3px",
    name: `${curve.title}, ${quantity("cross_entropy").title}`
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
  const anchor = {xref: "paper", x: 1, xanchor: "right", yref: "y", y: bound * factor, yanchor: "bottom"};
  const text = `prior: ${(bound * factor).toFixed(2)} ${unit}`;
  return [{...anchor, text, showarrow: false, font: {size: 11, color: colors.bound}}];
}

/** Say where a complement curve ends; the log-ratio to the unconditional branch cannot exceed log 1/prior. */
function floorText(floor, factor, unit, colors) {
  if (typeof floor?.entropy !== "number") return [];
  const at = (bits) => (bits * factor).toFixed(2);
  const why = floor.expected === null ? "" : ` (${at(floor.expected)} where the networks agree exactly)`;
  const anchor = {xref: "paper", x: 0, xanchor: "left", yref: "y", y: floor.entropy * factor, yanchor: "bottom"};
  return [{...anchor, text: `floor: ${at(floor.entropy)} ${unit}${why}`, showarrow: false, font: {size: 11, color: colors.bound}}];
}
