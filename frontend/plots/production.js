// Entropy production over the noise axis: its area is the information, its peak the decision.

import {slope, unitFactor, value} from "./axes.js";
import {band, dotted, largest, line, scaled, shifted} from "./bands.js";
import {faded, layoutOf} from "./figure.js";
import {sketch} from "./sketch.js";
import {windowShapes} from "./window.js";
import {number} from "../format.js";

export const draw = (element, scene) =>
  Plotly.react(element, traces(scene), layout(scene), {staticPlot: true, displayModeBar: false});

/** Return production per unit of the axis, in the unit. */
export function rescaled(values, {sigma, axis, unit}) {
  const factor = unitFactor(unit);
  return scaled(values, sigma.map((level) => factor * slope(axis, level)));
}

/** Return the traces: every visible curve, the one in focus with its area and band. */
export function traces(scene) {
  const {figure, sigma, curves, axis} = scene;
  const x = sigma.map((level) => value(axis, level));
  if (scene.sketched) {
    return curves.slice(0, 1).map((curve) => dotted(x, sketchOf(curve, scene), curve.productionColor));
  }
  return curves.flatMap((curve) => {
    const color = curve.productionColor;
    const y = rescaled(curve.production, scene);
    const curveLine = line(x, y, color, {
      width: curve.focus ? 2.4 : 1.4,
      markers: curve.focus,
      name: curve.title
    });
    if (!curve.focus) return [curveLine];
    const area = band(x, y.map((own) => (own === null ? null : 0)), y, faded(color, 0.12));
    return [area, errorBand(figure, scene, curve, x), curveLine];
  });
}

/** Return the layout, as high as the highest curve needs. */
export function layout(scene) {
  const {figure, curves, axis, unit, theme, ends, size, window} = scene;
  const colors = figure[theme].colors;
  const base = layoutOf(figure, "production", {axis, unit, theme, ends, size});
  const valuesOf = scene.sketched ? sketchOf : ({production}) => rescaled(production, scene);
  const shown = curves.map((curve) => valuesOf(curve, scene));
  const high = 1.2 * largest(...shown) || 1;
  const low = largest(...shown.map((y) => scaled(y, -1))); // guided production may be negative
  base.yaxis.range = [low > 0.02 * high ? -1.2 * low : 0, high];
  base.shapes = windowShapes(window, axis, colors);
  base.annotations = peakText(scene, colors);
  return base;
}

const sketchOf = ({bound}, scene) => rescaled(sketch(scene.sigma, bound)[1], scene);

function errorBand(figure, scene, curve, x) {
  const times = figure.band.standard_errors;
  const [low, high] = [-1, 1].map((sign) =>
    rescaled(shifted(curve.production, curve.production_se, sign * times), scene)
  );
  const measured = rescaled(curve.production, scene);
  const above = low.map((own, i) => (own === null ? null : Math.max(Math.min(0, measured[i]), own)));
  return band(x, above, high, faded(curve.productionColor, 0.26));
}

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
      text: `peak at σ = ${number(window.sigma_peak)}`,
      font: {size: 11, color: colors.peak}
    }
  ];
}
