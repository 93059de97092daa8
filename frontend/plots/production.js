// Entropy production over the noise axis: its area is the information, its peak the decision.

import {factorOf, placesOf, slope, value} from "./axes.js";
import {band, dotted, errorBands, exactLine, largest, line, lineStyle, plainLines, scaled} from "./bands.js";
import {faded} from "../lib/colour.js";
import {layoutOf} from "./figure.js";
import {markShapes, markTexts} from "./marks.js";
import {sketch} from "./sketch.js";
import {windowShapes} from "./window.js";
import {number} from "../lib/format.js";

/** Return production per unit of the axis, in the unit. */
export function rescaled(values, {sigma, axis, unit}, curve = {}) {
  return scaled(values, (curve.sigma ?? sigma).map((level) => factorOf("production", level, {axis, unit, time: curve.time})));
}

/** Return the traces: exact curves, every visible curve, the one in focus with its area and band. */
export function traces(scene) {
  const {figure, curves} = scene;
  if (scene.sketched) {
    return curves.slice(0, 1).map((curve) =>
      dotted(placesOf(scene, curve), sketchOf(curve, scene), curve.productionColor)
    );
  }
  return [...exactLines(scene), ...curves.flatMap((curve) => {
    const x = placesOf(scene, curve);
    const color = curve.productionColor;
    const drawn = (values) => rescaled(values, scene, curve);
    const shown = {color, parts: scene.parts, drawn};
    const y = drawn(curve.production);
    const curveLine = line(x, y, color, lineStyle(curve));
    if (!curve.focus && !curve.banded) return [curveLine];
    const bands = errorBands(x, curve, "production", shown);
    if (curve.banded) return [...bands, curveLine];
    const area = band(x, y.map((rate) => (rate === null ? null : 0)), y, faded(color, 0.12));
    return [area, ...bands, ...plainLines(x, curve, "production", shown), curveLine];
  })];
}

/** Return the layout, as high as the highest curve needs. */
export function layout(scene) {
  const {figure, curves, axis, theme, window} = scene;
  const colors = figure[theme].colors;
  const base = layoutOf(figure, "production", scene);
  const valuesOf = scene.sketched ? sketchOf : (curve) => rescaled(told(curve), scene, curve);
  const shown = [...curves.map((curve) => valuesOf(curve, scene)), ...exactLines(scene).map(({y}) => y)];
  const high = 1.2 * largest(...shown) || 1;
  const low = largest(...shown.map((y) => scaled(y, -1))); // guided production may be negative
  base.yaxis.range = [low > 0.02 * high ? -1.2 * low : 0, high];
  base.shapes = [...windowShapes(window, axis, colors), ...markShapes(scene)];
  base.annotations = [...peakText(scene, colors), ...markTexts(scene, base.xaxis.range)];
  return base;
}

/**
 * Return the production of a curve where it stands out of its band, if it does so anywhere; the chart is as high as that.
 *
 * Per unit of VP time noise at low levels is multiplied by 1 / sigma^2: a spike that would dwarf the decision.
 */
function told({production, production_band: band = []}) {
  const values = production.map((rate, i) => (Math.abs(rate) > (band[i] ?? 0) ? rate : null));
  return values.some((rate) => rate !== null) ? values : production;
}

function exactLines(scene) {
  const {exact: color} = scene.figure[scene.theme].colors;
  return scene.curves.filter(({exact}) => exact).map(({exact, title, time}) => {
    const levels = {sigma: exact.sigma, time};
    return exactLine(placesOf(scene, levels), rescaled(exact.production, scene, levels), color, title);
  });
}

const sketchOf = ({bound}, scene) => rescaled(sketch(scene.sigma, bound)[1], scene);

function peakText({window, axis, figure, ends}, colors) {
  if (!window || window.sigma_peak === null) return [];
  const right = Math.log(window.sigma_peak / ends[1]) > 0.35 * Math.log(ends[0] / ends[1]);
  return [
    {
      xref: "x",
      x: figure.axes[axis].layout.type === "log" ? Math.log10(window.sigma_peak) : value(axis, window.sigma_peak),
      yref: "paper",
      y: 1,
      xanchor: right ? "left" : "right",
      yanchor: "top",
      xshift: right ? 4 : -4,
      showarrow: false,
      text: `peak at ${figure.axes[axis].symbol} = ${number(value(axis, window.sigma_peak))}${slope(axis, 1) === slope(axis, 2) ? "" : " (per ln σ)"}`,
      font: {size: 11, color: colors.peak}
    }
  ];
}
