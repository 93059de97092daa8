// What guidance adds to the production of every class and what it takes away, over the noise axis.

import {factorOf, unitFactor, value} from "./axes.js";
import {band, line, scaled} from "./bands.js";
import {faded} from "../lib/colour.js";
import {layoutOf} from "./figure.js";
import {measured, number} from "../lib/format.js";
import {quantity} from "../protocol/quantities.js";

const ROOM = 1.12;

/**
 * Return the traces: band of the 25th to 75th percentile over classes, what is gained and lost at the
 * median, the median, and the classes that were asked for.
 */
export function traces(scene) {
  const {sigma, axis, theme, figure, redistribution, shown} = scene;
  const colors = figure[theme].colors;
  const x = sigma.map((level) => value(axis, level));
  const [low, median, high] = ["low", "median", "high"].map((name) => perAxis(redistribution[name], scene));
  const crossed = withCrossings(x, median);
  const classes = redistribution.classes.filter(({label}) => shown.has(label));
  return [
    band(x, low, high, faded(colors.bound, 0.22)),
    half(crossed, 1, faded(colors.gain, 0.42)),
    half(crossed, -1, faded(colors.loss, 0.42)),
    ...classes.map((entry) => classLine(x, entry, scene)),
    told(line(x, median, colors.bound, {width: 2.2, markers: true, name: "median"}), scene)
  ];
}

/** Return the layout, with the guided interval shaded. */
export function layout(scene) {
  const {low, high, classes} = scene.redistribution;
  const shown = classes.filter(({label}) => scene.shown.has(label)).map(({production}) => production);
  return around([low, high, ...shown].map((values) => perAxis(values, scene)), scene, "redistribution");
}

/** Return the points of a curve and, between them, those where it crosses zero. */
export function withCrossings(x, y) {
  const points = [[x[0], y[0]]];
  for (let i = 1; i < y.length; i += 1) {
    if (y[i - 1] * y[i] < 0) points.push([x[i - 1] + ((x[i] - x[i - 1]) * y[i - 1]) / (y[i - 1] - y[i]), 0]);
    points.push([x[i], y[i]]);
  }
  return {x: points.map(([at]) => at), y: points.map(([, height]) => height)};
}

/** Return what a comparison says in one sentence, in the unit; `per` is what production is per unit of. */
export function summary({sigma, axis, unit, per, redistribution, differences}) {
  const median = perAxis(redistribution.median, {sigma, axis, unit});
  const entropy = entropyChange(differences, sigma, unit);
  const production = productionChange(median, sigma, unit, per);
  if (!production) return entropy ? `${entropy}.` : "Guidance changes nothing.";
  return entropy ? `${entropy}; median production by ${production}.` : `Median production changes by ${production}.`;
}

function entropyChange([curve, ...others], sigma, unit) {
  if (!curve || others.length) return null;
  const sizes = curve.entropy.map((change) => Math.abs(change ?? 0));
  const step = sizes.indexOf(Math.max(...sizes));
  if (!sizes[step]) return null;
  const factor = unitFactor(unit);
  const [change, error] = [curve.entropy[step] * factor, curve.entropy_se[step]];
  const text = measured(change, error === null ? null : error * factor);
  return `${quantity("entropy").symbol} changes most by ${change > 0 ? "+" : ""}${text} ${unit} at σ = ${number(sigma[step])}`;
}

function productionChange(median, sigma, unit, per) {
  const ends = [Math.max(...median), Math.min(...median)].filter((change) => change !== 0);
  const words = ends.map((change) => `${signed(change)} at σ = ${number(sigma[median.indexOf(change)])}`);
  return words.length ? `${words.join(" and ")} (${unit} per ${per})` : null;
}

const signed = (change) => `${change > 0 ? "+" : ""}${number(change)}`;

const perAxis = (values, {sigma, axis, unit}) =>
  scaled(values, sigma.map((level) => factorOf("production", level, {axis, unit})));

/** The area between zero and one side of a curve. */
function half({x, y}, side, color) {
  const edge = y.map((height) => (side > 0 ? Math.max(0, height) : Math.min(0, height)));
  return band(x, edge.map(() => 0), edge, color);
}

const classLine = (x, {label, production}, scene) =>
  told(line(x, perAxis(production, scene), scene.colorOf(label), {width: 1.4, name: label}), scene);

/** Let a curve say its values when pointed at. */
export function told(trace, {sigma}, unit) {
  const what = unit ? ` ${unit}` : "";
  const text = sigma.map((level) => `σ = ${number(level)}`);
  return {...trace, text, hoverinfo: undefined, hovertemplate: `%{text}: %{y:+.3f}${what}<extra>${escaped(trace.name)}</extra>`};
}

/** Plotly reads some tags in texts; labels are no markup. */
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Return a layout that holds all values and zero, with the guided interval shaded. */
export function around(lists, scene, chart) {
  const {figure, theme, axis, interval} = scene;
  const base = layoutOf(figure, chart, scene);
  const values = lists.flat().filter((edge) => edge !== null);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const room = (ROOM - 1) * (high - low) || 0.01;
  base.yaxis.range = [low - room, high + room];
  base.yaxis.zerolinecolor = figure[theme].colors.bound;
  base.yaxis.zerolinewidth = 1;
  base.shapes = intervalShape(interval, axis, scene);
  return base;
}

/** The guided interval, cut to what is shown. */
function intervalShape(interval, axis, {ends: [top, bottom], figure, theme}) {
  if (!interval) return [];
  const [low, high] = [Math.max(interval[0], bottom), Math.min(interval[1], top)];
  const across = {xref: "x", yref: "paper", y0: 0, y1: 1, layer: "below", line: {width: 0}};
  const edges = {type: "rect", x0: value(axis, high), x1: value(axis, low)};
  return [{...across, ...edges, fillcolor: figure[theme].colors.window}];
}
