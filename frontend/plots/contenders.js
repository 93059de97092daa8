// What each class nearly became: how many trajectories of each final class had which contender.

import {shortened} from "../lib/format.js";
import {faded} from "../lib/colour.js";
import {plainLayout} from "./figure.js";

/** Classes that a matrix can show. */
export const MOST_CLASSES = 24;
const MOST_LETTERS = 24;

/** Return the classes that occur, in the order of the run's labels. */
export function classesOf({commitment, labels}) {
  const seen = new Set(commitment.pairs.flatMap(({final, contender}) => [final, contender]));
  const known = labels.filter((label) => seen.has(label));
  return [...known, ...[...seen].filter((name) => !known.includes(name))].slice(0, MOST_CLASSES);
}

/** Return one heat map: final classes down, contenders across, empty where there was none. */
export function traces(scene) {
  const {commitment, figure, theme} = scene;
  const classes = classesOf(scene);
  const n = new Map(commitment.pairs.map((pair) => [`${pair.final}\n${pair.contender}`, pair.n]));
  const {entropy} = figure[theme].colors;
  return [
    {
      type: "heatmap",
      x: classes.map((_, i) => i),
      y: classes.map((_, i) => i),
      z: classes.map((final) => classes.map((contender) => n.get(`${final}\n${contender}`) ?? null)),
      texttemplate: classes.length <= 10 ? "%{z}" : "",
      textfont: {size: 9, color: figure[theme].layout.font.color},
      colorscale: [[0, faded(entropy, 0.05)], [1, faded(entropy, 0.55)]],
      showscale: false,
      hoverongaps: false,
      xgap: 1,
      ygap: 1,
      hoverinfo: "skip"
    }
  ];
}

export function layout(scene) {
  const base = plainLayout(scene.figure, "contenders", scene);
  const classes = classesOf(scene);
  const ticks = {tickmode: "array", tickvals: classes.map((_, i) => i), ticktext: classes.map((name) => shortened(name, MOST_LETTERS)), showgrid: false};
  Object.assign(base.xaxis, ticks);
  Object.assign(base.yaxis, ticks, {range: [classes.length - 0.5, -0.5]});
  base.xaxis.range = [-0.5, classes.length - 0.5];
  return base;
}
