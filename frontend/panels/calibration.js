// The model as a classifier of noised data: accuracy by noise level, reliability at the cursor.

import {byId, setText} from "../lib/dom.js";
import {count, measured, number} from "../lib/format.js";
import * as accuracy from "../plots/accuracy.js";
import {unitFactor} from "../plots/axes.js";
import * as reliability from "../plots/reliability.js";
import {drawChart, sizeOf} from "./chart.js";

/** Return what is known at a step: "σ = 1.5: 81.2 ± 0.9 % of 1,024 right; gap 0.031 ± 0.010 bits". */
export function caption({focus, sigma, unit}, step) {
  const {calibration} = focus;
  const n = calibration.reliability.count[step].reduce((sum, answers) => sum + answers, 0);
  const share = (value) => (value === null ? null : 100 * value);
  const right = measured(share(calibration.accuracy[step]), share(calibration.accuracy_se[step]), 0);
  const level = step - (calibration.gap_corrected[step] === null ? 1 : 0); // every second one is corrected
  const bits = (value) => (value === null ? null : unitFactor(unit) * value);
  const gap = measured(bits(calibration.gap_corrected[level]), bits(calibration.gap_corrected_se[level]));
  return `σ = ${number(sigma[step])}: ${right} % of ${count(n)} right. Cross-entropy − entropy = ${gap} ${unit} at σ = ${number(sigma[level])}, corrected for the steps.`;
}

/** Show a curve's calibration, where it has one. */
export class Calibration {
  constructor() {
    this.shown = "";
    this.document = null;
  }

  show(scene, step) {
    const document = scene.focus?.calibration ?? null;
    byId("calibration").hidden = document === null;
    if (document === null) return;
    const {axis, unit, theme, ends} = scene;
    const sizes = ["accuracy", "reliability"].map((id) => sizeOf(byId(id)));
    const shown = JSON.stringify([axis, unit, theme, ends, scene.focus.key, step, sizes]);
    if (document === this.document && shown === this.shown) return;
    Object.assign(this, {document, shown});
    drawChart(byId("accuracy"), accuracy, scene);
    drawChart(byId("reliability"), reliability, {...scene, step: step ?? 0});
    setText(byId("calibration-caption"), caption(scene, step ?? 0));
  }
}
