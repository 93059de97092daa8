// The form's studies: what is typed becomes the `studies` of a spec; noise levels are those of the plan.

import {byId, element} from "../lib/dom.js";
import {typed, typedList} from "../protocol/spec.js";

const DIGITS = 4;
let levels = [];

/** Return the `studies` that filled fields ask for, or nothing. */
export function studiesOf(fields) {
  const value = (name) => typed(fields[`studies.${name}`] ?? "");
  const studies = {};
  if (value("branching.sigma") !== undefined) {
    studies.branching = given({
      sigma: value("branching.sigma"),
      trajectories: value("branching.trajectories"),
      repeats: value("branching.repeats")
    });
  }
  if (value("switch.sigmas") !== undefined) {
    studies.switch = given({...levelsOf(fields["studies.switch.sigmas"]), trajectories: value("switch.trajectories")});
  }
  return Object.keys(studies).length ? studies : undefined;
}

/** Return levels by number ("8") or by name ("20, 5.2"). */
export function levelsOf(text) {
  const list = typedList(text);
  return list.length === 1 && Number.isInteger(list[0]) && !text.includes(",") ? {levels: list[0]} : {sigmas: list};
}

/** Return the level nearest to what was typed, as text, or the text where it is none. */
export function nearestLevel(text, sigma) {
  const wanted = typed(text);
  if (typeof wanted !== "number" || !(wanted > 0) || !sigma.length) return text;
  const distance = sigma.map((level) => Math.abs(Math.log(level / wanted)));
  return shown(sigma[distance.indexOf(Math.min(...distance))]);
}

/** Offer the noise levels of a plan where one can be chosen; the lowest leaves nothing to sample. */
export function offerLevels(sigma) {
  levels = sigma.slice(0, -1);
  byId("levels").replaceChildren(...levels.map((level) => element("option", {value: shown(level)})));
}

/** Let a typed noise level become the nearest one of the plan. */
export function wireLevels() {
  const input = byId("branch-sigma");
  input.addEventListener("change", () => {
    input.value = nearestLevel(input.value, levels);
    input.dispatchEvent(new Event("input", {bubbles: true}));
  });
}

const shown = (level) => String(Number(level.toPrecision(DIGITS)));
const given = (object) => Object.fromEntries(Object.entries(object).filter(([, own]) => own !== undefined));
