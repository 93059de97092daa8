// Which classes can still be reached: of each trajectory the posterior, beside what its continuations came to.

import {plainLayout} from "./figure.js";

/** Trajectories that are drawn. */
export const MOST = 12;
const WIDTH = 0.38;

/** Return stacked bars, one trace a class: posterior on the left, frequency on the right of each place. */
export function traces({study, labels, colorOf}) {
  const shown = study.trajectories.slice(0, MOST);
  const reached = new Set(shown.flatMap(({classes}) => classes.map(({label}) => label)));
  return labels.filter((label) => reached.has(label)).map((label) => {
    const shares = shown.map(({classes}) => classes.find((entry) => entry.label === label) ?? {posterior: 0, frequency: 0});
    return {
      type: "bar",
      name: label,
      x: shares.flatMap((_, i) => [i + 1 - WIDTH / 2, i + 1 + WIDTH / 2]),
      y: shares.flatMap(({posterior, frequency}) => [posterior, frequency]),
      width: WIDTH * 0.94,
      marker: {color: colorOf(label), opacity: shares.flatMap(() => [0.55, 1]), line: {width: 0}},
      hoverinfo: "skip"
    };
  });
}

export function layout({study, figure, theme, size}) {
  const base = plainLayout(figure, "branching", {theme, size});
  base.barmode = "stack";
  base.yaxis.range = [0, 1];
  base.xaxis.range = [0.4, Math.min(MOST, study.trajectories.length) + 0.6];
  return base;
}
