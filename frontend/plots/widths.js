// How wide the band of half-made decisions is against what is varied: in VP time above, in sigma below.

import {filled, merge} from "./figure.js";

const ROOM = 0.08;

/** Return the traces: the theory's line, then one point a run with its error, in each of the two panels. */
export function traces({figure, theme, points, theory}) {
  const {exact} = figure[theme].colors;
  return [["time", "y"], ["sigma", "y2"]].flatMap(([name, yaxis]) => [
    {
      type: "scatter", mode: "lines", name: "theory", xaxis: "x", yaxis, hoverinfo: "skip",
      x: theory.map(({x}) => x), y: theory.map((point) => point[name]),
      line: {color: exact, width: 1.3, dash: "5px,4px"}
    },
    pointTrace(points, name, yaxis, exact)
  ]);
}

/** Return the layout; the horizontal axis is logarithmic where all values are positive. */
export function layout({figure, theme, points, varied, size}) {
  const chart = figure.widths.layout;
  const grid = figure[theme].layout;
  const base = merge(figure.common, {yaxis2: figure.common.yaxis}, grid, {yaxis2: grid.yaxis}, chart, size);
  base.xaxis.title.text = filled(base.xaxis.title.text, {varied});
  const x = points.map((point) => point.x);
  const log = x.every((value) => value > 0);
  const [low, high] = [Math.min(...x), Math.max(...x)].map((value) => (log ? Math.log10(value) : value));
  const room = ROOM * (high - low || 1);
  Object.assign(base.xaxis, {type: log ? "log" : "linear", autorange: false, range: [low - room, high + room]});
  if (!log) delete base.xaxis.dtick;
  base.yaxis.range = [0, 1.3 * Math.max(...points.map(({time, timeError}) => time + timeError))];
  base.annotations = panelNames(base);
  return base;
}

function pointTrace(points, name, yaxis, color) {
  return {
    type: "scatter", mode: "markers", name: "measured", xaxis: "x", yaxis, hoverinfo: "skip",
    x: points.map(({x}) => x),
    y: points.map((point) => point[name]),
    error_y: {
      type: "data", array: points.map((point) => point[`${name}Error`]), color, thickness: 1.2, width: 3
    },
    marker: {size: 8, color: points.map(({color}) => color)}
  };
}

function panelNames({yaxis, yaxis2, font}) {
  return [["in VP time", yaxis], ["in σ (VE)", yaxis2]].map(([text, {domain}]) => ({
    text, xref: "paper", x: 0, xanchor: "left", xshift: 5, yref: "paper", y: domain[1], yanchor: "top",
    showarrow: false, font: {...font, size: 11}
  }));
}
