// From figure.json to a Plotly layout: axes, colours and texts of one chart.

import {axisTitle} from "../protocol/quantities.js";
import {range} from "./axes.js";

const GOLDEN_ANGLE = 137.508;

/** Return the layout of a chart ("entropy", "production", "profiles") for a view. */
export function layoutOf(figure, chart, {axis, unit, theme, ends, size, time}) {
  const layout = merge(figure.common, figure[theme].layout, figure[chart].layout, {
    xaxis: figure.axes[axis].layout
  });
  const {quantity, change} = figure[chart];
  const words = {unit, per: figure.axes[axis].per};
  layout.yaxis.title.text = quantity ? axisTitle(quantity, words, change) : filled(layout.yaxis.title.text, words);
  layout.xaxis.autorange = false;
  layout.xaxis.range = range(axis, ends, time);
  return {...layout, ...size};
}

/** Return the layout of a chart that has axes of its own. */
export function plainLayout(figure, chart, {theme, size}) {
  return {...merge(figure.common, figure[theme].layout, figure[chart].layout), ...size};
}

/** Return the colour of the i-th of n things; beyond the colorway, hues far from their neighbours. */
export function colour(figure, index, n = 0) {
  if (n <= figure.colorway.length) return figure.colorway[index % figure.colorway.length];
  return `hsl(${((index * GOLDEN_ANGLE) % 360).toFixed(1)} 55% 55%)`;
}

/** Return a colour as rgba with some opacity. */
export function faded(text, opacity) {
  if (text.startsWith("hsl")) return text.replace(")", ` / ${opacity})`);
  const parts = [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  return `rgba(${parts.join(", ")}, ${opacity})`;
}

/** Return the deep merge of plain objects; the later one wins. */
export function merge(...objects) {
  const merged = {};
  for (const object of objects) {
    for (const [key, value] of Object.entries(object ?? {})) {
      merged[key] = isPlain(value) ? merge(isPlain(merged[key]) ? merged[key] : {}, value) : value;
    }
  }
  return merged;
}

export const filled = (text, words) => text.replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);

const isPlain = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
