// For a run on labelled data: the run that measured the same on paths of the model itself.

import * as api from "../api.js";

/** Return the newest finished run that differs in where its paths come from and how many there are, or null. */
export function modelRunOf(run, runs) {
  if (run.spec.paths_from !== "data") return null;
  const wanted = question(run);
  const same = (other) =>
    other.state === "done" && other.spec.paths_from === "model" && !other.spec.guidance && question(other) === wanted;
  return runs.find(same) ?? null; // newest first
}

const question = ({spec: {model, params, partitions, prior}}) => JSON.stringify([model, params, partitions, prior]);

/** Ask for the curves of such a run, once; `onChange` is told when they are there. */
export class ModelPaths {
  constructor(onChange) {
    Object.assign(this, {onChange, id: null, result: null});
  }

  /** Return {sigma, curves} of the run beside which `run` is drawn, or null as long as there is none. */
  beside(run, runs) {
    const id = run ? modelRunOf(run, runs)?.id ?? null : null;
    if (id !== this.id) this.#ask(id);
    return this.result;
  }

  async #ask(id) {
    Object.assign(this, {id, result: null});
    if (id === null) return;
    try {
      const result = await api.result(id);
      if (id === this.id) this.result = result;
      this.onChange();
    } catch (error) {
      if (!(error instanceof api.Problem || error instanceof api.Unreachable)) throw error;
    }
  }
}
