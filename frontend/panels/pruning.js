// What pruning left out of a run, and by how much its entropy may be off for it.

import {byId, setText} from "../lib/dom.js";
import {number} from "../lib/format.js";
import {unitFactor} from "../plots/axes.js";

/** Return the sentence on the pruning of a curve at the level where most was left out, or nothing. */
export function pruningText({pruning, combined}, sigma, unit) {
  const dropped = pruning?.dropped ?? [];
  const largest = Math.max(...dropped.filter((mass) => mass !== null));
  if (!dropped.length || largest <= 0) return pruning ? "Pruning dropped no probability." : "";
  const step = dropped.indexOf(largest);
  const bound = Math.max(...pruning.entropy_bound.filter((bits) => bits !== null)) * unitFactor(unit);
  return `Pruning dropped up to ${number(100 * largest)} % of the probability (σ = ${number(sigma[step])}); error of H at most ${number(bound)} ${unit}${combined ? ", in the band" : ""}.`;
}

/** Say what pruning left out of the curve in focus. */
export function showPruning({focus, sigma, unit}) {
  const text = focus ? pruningText(focus, sigma, unit) : "";
  setText(byId("pruning-text"), text);
  byId("pruning").hidden = !text;
}
