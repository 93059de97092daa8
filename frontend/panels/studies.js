// The studies of a run: when its trajectories commit, what can still be reached, how long a label holds.

import {byId, setText} from "../lib/dom.js";
import {count, measured, number} from "../lib/format.js";
import * as branching from "../plots/branching.js";
import * as calibration from "../plots/calibration.js";
import * as commitment from "../plots/commitment.js";
import * as contenders from "../plots/contenders.js";
import * as switched from "../plots/switch.js";
import {drawChart} from "./chart.js";

const percent = (share) => `${Math.round(100 * share)} %`;

/** Return the words on commitment. */
export function commitmentText({n, thresholds, flips}) {
  const half = thresholds.map(({above, sigma_median: sigma}) => `above ${above} from σ = ${number(sigma)}`);
  const sure = thresholds.at(-1);
  const {overtaken, expected} = sure.first;
  return (
    `Half of ${count(n)} trajectories stay ${half.join(", ")} on; the leading class changes ${number(flips)} times. ` +
    `Of the classes first above ${sure.above}, ${percent(overtaken)} are not the final one (${percent(expected)} expected).`
  );
}

/** Return the words on a switch of labels. */
export function switchText({n, crossover, inside_window: inside, ratio_to_peak: ratio}) {
  if (!crossover) return `Of ${count(n)} copies at each level; the share does not pass one half on these levels.`;
  const {sigma, error} = crossover;
  const where = inside === null ? "" : `, ${inside ? "inside" : "outside"} the window, ${number(ratio)} times the σ of its peak`;
  return `Half of the copies follow their new label at σ = ${measured(sigma, error)}${where}.`;
}

/** Return the words on branching. */
export function branchingText({sigma, repeats, n, reachable, calibration: {largest_z: z}}) {
  return (
    `From σ = ${number(sigma)}, ${count(n)} trajectories ${count(repeats)} times each: ` +
    `${number(reachable)} classes are reached on average. Pale bars: posterior; full bars: branches, at most ${number(z)} standard errors off.`
  );
}

/** Return the spec of the same run, guided inside the interval that it suggests. */
export function guidedSpec(spec, {interval}, scale) {
  return {...spec, guidance: {scale, interval}, studies: {}};
}

/** Show the studies of a finished run; `onGuide(spec)` starts a guided one. */
export class Studies {
  constructor(container, {onGuide}) {
    Object.assign(this, {container, shown: ""});
    byId("guide").onsubmit = (event) => {
      event.preventDefault();
      onGuide(guidedSpec(this.spec, this.suggested, Number(byId("guide-scale").value)));
    };
  }

  /** Draw a scene with `studies`, null while there are none; `guidable` tells whether the model can be guided. */
  show(scene, {studies, spec, guidable}) {
    setText(byId("no-studies"), studies ? "" : "The studies appear when the run is done.");
    const size = [this.container.clientWidth, this.container.clientHeight];
    const shown = JSON.stringify([scene.axis, scene.theme, scene.ends, size, scene.view.id, Boolean(studies), guidable]);
    if (shown === this.shown && studies === this.studies) return;
    Object.assign(this, {shown, studies, spec, suggested: studies?.suggested_interval ?? null});
    this.#suggest(guidable);
    this.#part("commitment", studies?.commitment, commitmentText);
    this.#part("switch", studies?.switch, switchText);
    this.#part("branching", studies?.branching, branchingText);
    this.#draw(scene, studies ?? {});
  }

  #suggest(guidable) {
    byId("guide").hidden = !this.suggested;
    if (!this.suggested) return;
    const [low, high] = this.suggested.interval;
    setText(byId("guide-text"), `${percent(this.suggested.share)} of the information lies in ${number(low)} < σ ≤ ${number(high)}.`);
    byId("guide-run").disabled = !guidable;
    byId("guide-run").title = guidable ? "" : "This model has no unconditional branch to guide away from.";
  }

  #part(name, study, words) {
    for (const node of this.container.querySelectorAll(`[data-study=${name}]`)) node.hidden = !study;
    if (study) setText(byId(`${name}-text`), words(study));
  }

  #draw(scene, studies) {
    const {labels, colors} = scene;
    const colorOf = (label) => colors[labels.indexOf(label)];
    const parts = [
      ["commitment-plot", commitment, studies.commitment, {commitment: studies.commitment}],
      ["contenders-plot", contenders, studies.commitment, {commitment: studies.commitment}],
      ["switch-plot", switched, studies.switch, {study: studies.switch}],
      ["branching-plot", branching, studies.branching, {study: studies.branching, colorOf}],
      ["calibration-plot", calibration, studies.branching, {study: studies.branching}]
    ];
    for (const [id, plot, study, more] of parts) {
      const node = byId(id);
      if (study) drawChart(node, plot, {...scene, ...more});
    }
  }
}
