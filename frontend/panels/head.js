// The head of a run: what it is, how far it is, and what can be done with it.

import {byId, setText} from "../lib/dom.js";
import {isFinal} from "../protocol/states.js";
import {count, duration, number, queuePlace} from "../lib/format.js";
import {guidanceText} from "../protocol/guidance.js";
import {decision} from "../protocol/decision.js";
import {shownAxis} from "../protocol/address.js";

/** Return the sentence that tells how far a run is. */
export function progressText(run, view) {
  const {trajectories, total, seconds_left: left} = run.progress;
  const done = Math.max(trajectories, view.trajectories);
  if (view.state === "queued") return `waiting, ${queuePlace(run.position ?? view.position)}`;
  if (view.state === "done") return doneText(run, view);
  const more = underWay(view, done);
  if (view.state === "cancelled") {
    const shown = more ? `; the curves show ${count(more)} more, as far as they came` : "";
    return `cancelled after ${count(done)} of ${count(total)} trajectories${shown}`;
  }
  if (view.state === "failed") return `failed: ${view.reason ?? run.reason ?? "no reason was given"}`;
  const time = duration(left);
  const worker = view.worker ? ` on ${view.worker.name}` : "";
  const going = more ? `, ${count(more)} under way at σ = ${number(view.sigma[view.newest.step])}` : "";
  return `${count(done)} of ${count(total)} trajectories${going}${worker}${time ? `, ${time} left` : ""}`;
}

/** Return how many trajectories are drawn beyond those of whole batches: the most of any curve at the newest point. */
function underWay({newest, curves = {}}, done) {
  if (!newest) return 0;
  const drawn = Object.values(curves).map(({n}) => n[newest.step] ?? 0);
  return Math.max(0, ...drawn.map((n) => n - done));
}

function doneText(run, view) {
  const early = view.trajectories < run.spec.trajectories ? " (target error met)" : "";
  const seconds = run.finished_ms && run.started_ms ? (run.finished_ms - run.started_ms) / 1000 : null;
  return `${count(view.trajectories)} trajectories${early}${seconds === null ? "" : ` in ${duration(seconds)}`}`;
}

/** Return the line that says what was asked for. */
export function aboutText(run) {
  const [high, low] = [run.sigma[0], run.sigma.at(-1)];
  const steps = `${run.sigma.length}${run.spec.schedule.sigmas ? " placed" : ""}`;
  const data = run.spec.paths_from === "data" ? ", paths of labelled data" : "";
  const extended = run.extends ? ", extends an earlier run" : "";
  const guided = run.spec.guidance ? `${guidanceText(run.spec.guidance)}, ` : "";
  return `${decision(run)}, ${guided}${steps} steps, σ ${number(high)} to ${number(low)}, seed ${run.spec.seed}${data}${extended}`;
}

/** Show the head of a run; `actions` are links (curvesUrl and resultUrl), onCompare, onCancel, onExtend(trajectories), onRefine, onCopy. */
export class Head {
  constructor(actions) {
    this.actions = actions;
    byId("cancel").onclick = () => actions.onCancel();
    byId("compare").onclick = () => actions.onCompare();
    byId("refine").onclick = () => actions.onRefine();
    byId("copy").onclick = () => actions.onCopy();
    byId("extend").onsubmit = (event) => {
      event.preventDefault();
      actions.onExtend(Number(byId("extend-to").value));
    };
    this.shownId = null;
  }

  show(run, view, {axis, unit}) {
    const final = isFinal(view.state);
    setText(byId("run-name"), run.title);
    setText(byId("run-about"), aboutText(run));
    byId("run-about").title = aboutText(run);
    setText(byId("run-state"), view.state);
    byId("run-state").dataset.state = view.state;
    setText(byId("run-progress"), progressText(run, view));
    byId("progress-bar").style.width = `${view.state === "done" ? 0 : 100 * run.progress.fraction}%`;
    byId("cancel").hidden = final;
    byId("compare").hidden = view.state !== "done" || !run.spec.guidance;
    byId("extend").hidden = byId("refine").hidden = view.state !== "done";
    byId("downloads").hidden = !final || view.batches === 0;
    this.link(run, {axis, unit});
    byId("json").href = this.actions.links.resultUrl(run.id);
    byId("json").download = `entroscope-${run.id.slice(0, 8)}.json`;
    if (this.shownId !== run.id) this.#fresh(run);
  }

  /** Say that the settings are in the form now; until another run is shown. */
  copied() {
    setText(byId("copy"), "Settings copied");
  }

  /** Point the downloads at the unit and axis that are shown, at once: a click may come before the next drawing. */
  link(run, {axis, unit}) {
    byId("csv").href = this.actions.links.curvesUrl(run.id, {unit, axis: shownAxis({axis}, false)});
  }

  #fresh(run) {
    this.shownId = run.id;
    setText(byId("copy"), "Copy settings");
    byId("extend-to").value = 2 * run.spec.trajectories;
  }
}
