// Commitment times of trajectories: a histogram over the noise axis, one for each threshold.

import {slope, value} from "./axes.js";
import {largest} from "./bands.js";
import {faded} from "../lib/colour.js";
import {layoutOf} from "./figure.js";
import {windowShapes} from "./window.js";

/** Return the share of trajectories that commit between two levels, per unit of the axis: one a step but the first. */
export function densities({counts}, n, {sigma, axis}) {
  return sigma.slice(1).map((level, i) => {
    const width = Math.log(sigma[i] / level);
    return (counts[i + 1] / n / width) * slope(axis, Math.sqrt(sigma[i] * level));
  });
}

/** Return one outline a threshold, the higher threshold in front. */
export function traces(scene) {
  const {commitment, figure, theme, sigma, axis} = scene;
  const {entropy, production} = figure[theme].colors;
  return commitment.thresholds.map((threshold, i) => {
    const heights = densities(threshold, commitment.n, scene);
    const color = [entropy, production][i % 2];
    return {
      type: "scatter",
      mode: "lines",
      name: `above ${threshold.above}`,
      x: heights.flatMap((_, step) => [value(axis, sigma[step]), value(axis, sigma[step + 1])]),
      y: heights.flatMap((height) => [height, height]),
      fill: "tozeroy",
      fillcolor: faded(color, 0.16),
      line: {color, width: 1.6},
      hoverinfo: "skip"
    };
  });
}

/** Return the layout, with the window shaded and the colours named. */
export function layout(scene) {
  const {commitment, figure, axis, unit, theme, ends, size, window} = scene;
  const {entropy, production, ...colors} = figure[theme].colors;
  const base = layoutOf(figure, "commitment", {axis, unit, theme, ends, size});
  base.yaxis.range = [0, 1.15 * largest(...commitment.thresholds.map((threshold) => densities(threshold, commitment.n, scene))) || 1];
  base.shapes = windowShapes(window, axis, colors);
  base.annotations = commitment.thresholds.map(({above}, i) => ({
    xref: "paper", x: 0.01, xanchor: "left", yref: "paper", y: 1 - 0.2 * i, yanchor: "top", showarrow: false,
    text: `above ${above} for good`, font: {size: 11, color: [entropy, production][i % 2]}
  }));
  return base;
}
