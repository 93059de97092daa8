// The frame of the page: which of its parts belong to what is shown, the tools, and what went wrong.

import {byId, setText} from "../lib/dom.js";

/** Show the parts of a view: kind is "first", "run", "studies", "comparison", "sweep" or "bench". */
export function showFrame({kind, title, isLoaded, hasScene}) {
  const classes = {
    "has-run": kind !== "first" && kind !== "bench",
    "shows-studies": kind === "studies",
    comparing: kind === "comparison",
    "has-sweep": kind === "sweep",
    "on-bench": kind === "bench",
    "no-scene": !hasScene
  };
  for (const [name, on] of Object.entries(classes)) document.body.classList.toggle(name, on);
  const ofRun = kind === "run" || kind === "studies";
  byId("views").hidden = byId("run-actions").hidden = !(ofRun && isLoaded);
  byId("sweep-actions").hidden = !(kind === "sweep" && isLoaded);
  byId("comparison").hidden = kind !== "comparison";
  byId("bench").hidden = kind !== "bench";
  document.title = title ? `${title} · Entroscope` : "Entroscope";
}

/** Show what is chosen in the tools; an axis in units of speciation is offered where something speciates. */
export function showTools(state, speciates) {
  byId("scaled-axis").hidden = !speciates;
  for (const input of byId("tools").querySelectorAll("input")) {
    input.checked = state[input.name] === (input.type === "checkbox" ? "yes" : input.value);
  }
}

/** Say in the head why a request was refused; null takes it away. */
export function showRequestError(error) {
  const details = error?.errors?.map(({reason}) => reason).filter(Boolean) ?? [];
  setText(byId("run-error"), error ? [error.message, ...details].join(" ") : "");
  byId("run-error").hidden = !error;
}

const LISTED = {run: "Existing runs are in the list.", sweep: "Existing sweeps are on the theory bench."};

/** Say in the head that a run or a sweep cannot be shown. */
export function showFailure(noun, error) {
  for (const id of ["run-state", "run-progress"]) setText(byId(id), "");
  setText(byId("run-name"), error.status === 404 ? `No such ${noun}` : `The ${noun} cannot be shown`);
  setText(byId("run-about"), `It may have been deleted. ${LISTED[noun]}`);
  showRequestError(error);
}
