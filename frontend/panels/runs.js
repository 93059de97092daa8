// The list of runs: state, place in the queue, progress, time left, cancel.

import {element} from "../lib/dom.js";
import {count, duration, queuePlace, when} from "../lib/format.js";
import {isFinal} from "../protocol/states.js";
import {decision} from "../protocol/decision.js";
import {guidanceText} from "../protocol/guidance.js";
import {leadingTo} from "../protocol/address.js";

/** Return what a run's line says beside its name. */
export function statusText(run) {
  const {trajectories, total, seconds_left: left} = run.progress;
  if (run.state === "queued") return queuePlace(run.position);
  if (run.state === "running") return left === null ? "running" : `${duration(left)} left`;
  if (run.state === "done") return `${count(trajectories)} trajectories`;
  return `${run.state} at ${count(trajectories)} of ${count(total)}`;
}

/** Return what the line of a run says and where it leads. */
const ofRun = (run, state) => ({
  what: [decision(run), guidanceText(run.spec.guidance)].filter(Boolean).join(", "),
  about: `${run.title}, ${decision(run)}, seed ${run.spec.seed}`,
  status: statusText(run),
  reason: run.reason ?? "",
  fraction: run.progress.fraction,
  href: leadingTo(state, {runId: run.id, baseId: null}),
  current: run.id === state.runId
});

/** Show runs, or what `describe` makes of other things that run, in a list; every line leads to what it names. */
export class RunList {
  constructor(list, {onCancel, onDelete, describe = ofRun}) {
    Object.assign(this, {list, onCancel, onDelete, describe});
    this.lines = new Map();
  }

  show(runs, state) {
    const keep = new Set(runs.map(({id}) => id));
    for (const [id, line] of this.lines) if (!keep.has(id)) this.#remove(id, line);
    const lines = runs.map((run) => this.#line(run, state));
    lines.forEach((line, i) => {
      if (this.list.children[i] !== line.node) this.list.insertBefore(line.node, this.list.children[i] ?? null);
    });
    runs.forEach((run, i) => this.#update(lines[i], run, state));
  }

  #remove(id, line) {
    line.node.remove();
    this.lines.delete(id);
  }

  #line(run, state) {
    if (!this.lines.has(run.id)) this.lines.set(run.id, this.#made(run, this.describe(run, state)));
    return this.lines.get(run.id);
  }

  #made(run, {what: words, about}) {
    const title = element("span", {className: "run-title"}, run.title);
    const what = element("span", {className: "run-what"}, words);
    const status = element("span", {className: "run-status"});
    const bar = element("span", {className: "run-bar"});
    const track = element("span", {className: "run-track"}, bar);
    const time = element("span", {className: "run-time", title: new Date(run.created_ms).toLocaleString()}, when(run.created_ms));
    const lines = [[title, time], [what, status]].map((pair) => element("span", {className: "run-row"}, ...pair));
    const link = element("a", {className: "run-link"}, ...lines, track);
    link.title = about;
    const button = element("button", {type: "button", className: "quiet run-act"});
    const node = element("li", {className: "run-line"}, link, button);
    return {node, link, status, bar, button};
  }

  #update({node, link, status, bar, button}, run, state) {
    const line = this.describe(run, state);
    node.dataset.state = run.state;
    link.href = line.href;
    if (line.current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    status.textContent = line.status;
    status.title = line.reason;
    bar.style.width = `${100 * (run.state === "done" ? 1 : line.fraction)}%`;
    this.#offer(button, run);
  }

  /** A run under way can be cancelled, a finished one deleted: by a second press, for it is lost then. */
  #offer(button, run) {
    const final = isFinal(run.state);
    const sure = button.dataset.sure === "yes";
    button.textContent = final ? (sure ? "Delete?" : "×") : "Cancel";
    button.setAttribute("aria-label", `${final ? "Delete" : "Cancel"} ${run.title}, ${when(run.created_ms)}`);
    button.onblur = () => this.#ask(button, run, "no");
    button.onclick = () => {
      if (!final) this.onCancel(run);
      else if (sure) this.onDelete(run);
      else this.#ask(button, run, "yes");
    };
  }

  #ask(button, run, sure) {
    button.dataset.sure = sure;
    this.#offer(button, run);
  }
}
