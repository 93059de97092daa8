// From figure.json to a Plotly layout: axes and texts of one chart.

import {axisTitle} from "../protocol/quantities.js";
import {range} from "./axes.js";

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
