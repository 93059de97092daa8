// The prior of the class in a complement run, each class against the rest, chosen once the run has ended.

import {isFinal} from "../protocol/states.js";
import {isRest, typed} from "../protocol/spec.js";

/** Whether a run has curves whose prior can be chosen: each-vs-rest, finished, with a batch or more. */
export const hasComplements = (run, view) =>
  isFinal(view.state) && view.batches > 0 && Object.values(run.spec.partitions).some(isRest);

/** Return what was typed as a prior; null is the run's own. */
export const typedPrior = (text) => typed(text) ?? null;

/** Offer the prior of the class; `onChoose(prior | null)` is told what was typed. */
export class ComplementPrior {
  constructor(form, onChoose) {
    Object.assign(this, {form, shownId: null});
    this.input = form.querySelector("input");
    this.input.onchange = () => onChoose(typedPrior(this.input.value));
    form.onsubmit = (event) => event.preventDefault(); // Enter is a change already
  }

  show(run, view) {
    this.form.hidden = !hasComplements(run, view);
    if (this.shownId !== view.id) this.input.value = "";
    this.shownId = view.id;
  }
}
