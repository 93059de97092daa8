// The head of a sweep and the list of its runs; and what a line in the list of sweeps says.

import {byId, element, setText} from "../lib/dom.js";
import {isFinal} from "../protocol/states.js";
import {count, plural} from "../lib/format.js";
import {leadingTo} from "../protocol/address.js";
import {runNames, variedOf} from "../protocol/varied.js";
import {statusText} from "./runs.js";

const MOST_NAMES = 6;

/** Return what a sweep varies, in words: "2 runs: d = 10; d = 100". */
export function sweepAbout({vary}) {
  const runs = plural(vary.length, "run");
  if (!vary.length) return "all of its runs have been deleted";
  if (!variedOf(vary).length) return runs;
  const names = runNames(vary);
  const shown = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES - 1), "…", names.at(-1)] : names;
  return `${runs}: ${shown.join("; ")}`;
}

/** Return how far a sweep is. */
export function sweepStatus({state, progress}) {
  if (state === "running") return `${Math.floor(100 * progress)} %`;
  return state;
}

/** Return what the line of a sweep says and where it leads, for RunList. */
export const ofSweep = (sweep, state) => ({
  what: sweepAbout(sweep),
  about: `${sweep.title}, ${sweepAbout(sweep)}`,
  status: sweepStatus(sweep),
  reason: "",
  fraction: sweep.progress,
  href: leadingTo(state, {runId: null, baseId: null, sweepId: sweep.id}),
  current: sweep.id === state.sweepId
});

/** Show what a sweep is, how far it is, and where its runs are. */
export function showSweep(sweep, state, curves) {
  const ended = sweep.runs.filter((run) => isFinal(run.state)).length;
  setText(byId("run-name"), sweep.title);
  setText(byId("run-about"), sweepAbout(sweep));
  setText(byId("run-state"), sweep.state);
  byId("run-state").dataset.state = sweep.state;
  setText(byId("run-progress"), `${count(ended)} of ${plural(sweep.runs.length, "run")} ended`);
  byId("progress-bar").style.width = isFinal(sweep.state) ? "0" : `${100 * sweep.progress}%`;
  byId("sweep-cancel").hidden = isFinal(sweep.state);
  const names = runNames(sweep.vary);
  const lines = sweep.runs.map((run, i) => runLine(run, names[i], curves));
  const list = byId("sweep-runs");
  const shown = lines.map((line) => line.outerHTML).join("");
  if (shown !== list.dataset.shown) list.replaceChildren(...lines); // links keep the focus while nothing changes
  list.dataset.shown = shown;
  linkRuns(state);
}

/** Point the links at the runs with the state's axis and unit, at once: a click may come before the next drawing. */
export function linkRuns(state) {
  for (const link of byId("sweep-runs").querySelectorAll("a")) {
    link.href = leadingTo(state, {runId: link.dataset.run, baseId: null});
  }
}

function runLine(run, name, curves) {
  const swatch = element("span", {className: "swatch"});
  swatch.style.background = curves.find((curve) => curve.run.id === run.id)?.color ?? "";
  const link = element("a", {"data-run": run.id}, name);
  const status = element("span", {className: "run-status", title: run.reason ?? ""}, statusText(run));
  return element("li", {"data-state": run.state}, swatch, link, status);
}
