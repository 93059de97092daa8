// The decision that a run measures, in words. Pure.

import {isRest} from "./spec.js";

const COMPLEMENTS = {rebuilt: "the rebuilt complement", unconditional: "the unconditional branch"};

/** Return the decision a run measures, in few words. */
export function decision(run) {
  return Object.entries(run.spec.partitions).map(([name, partition]) => words(run, name, partition)).join("; ");
}

function words(run, name, partition) {
  if (isRest(partition)) return `${partition.each ? chosen(partition.each.length) : "each class"} against ${COMPLEMENTS[run.spec.complement] ?? "the rest"}`;
  if (partition === null) return `all ${run.labels.length} ${run.spec.params?.prompts ? "prompts" : "classes"}`;
  return run.curves.find(({key}) => key === name)?.title ?? name;
}

const chosen = (n) => (n === 1 ? "one class" : `each of ${n} classes`);
