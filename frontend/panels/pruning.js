// What pruning left out of a run, and by how much its entropy may be off for it.

import {setText} from "../lib/dom.js";
import {number} from "../lib/format.js";
import {unitFactor} from "../plots/axes.js";

/** Return the sentence on the pruning of a curve at the level where most was left out, or nothing. */
export function pruningText({pruning}, sigma, unit) {
  const dropped = pruning?.dropped ?? [];
  const largest = Math.max(...dropped.filter((mass) => mass !== null));
  if (!dropped.length || largest <= 0) return pruning ? "Pruned: no probability was dropped." : "";
  const step = dropped.indexOf(largest);
  const bound = Math.max(...pruning.entropy_bound.filter((bits) => bits !== null)) * unitFactor(unit);
  return `Pruned: at most ${number(100 * largest)} % of the probability dropped (mean over paths, at σ = ${number(sigma[step])}); ` +
    `H is off by at most ${number(bound)} ${unit} for it.`;
}

/** Say what pruning left out of the curve in focus. */
export function showPruning(line, {focus, sigma, unit}) {
  const text = focus ? pruningText(focus, sigma, unit) : "";
  setText(line, text);
  line.hidden = !text;
}
