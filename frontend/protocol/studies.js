// The studies of a spec from what is typed, and noise levels as they are typed. Pure.

import {typed, typedList} from "./spec.js";

const DIGITS = 4;

/** Return the `studies` that filled fields ask for, or nothing. */
export function studiesOf(fields) {
  const value = (name) => typed(fields[`studies.${name}`] ?? "");
  const studies = {};
  if (value("branching.sigma") !== undefined) {
    studies.branching = defined({
      sigma: value("branching.sigma"),
      trajectories: value("branching.trajectories"),
      repeats: value("branching.repeats")
    });
  }
  if (value("switch.sigmas") !== undefined) {
    studies.switch = defined({...levelsOf(fields["studies.switch.sigmas"]), trajectories: value("switch.trajectories")});
  }
  return Object.keys(studies).length ? studies : undefined;
}

/** Return levels by number ("8") or by name ("20, 5.2"). */
export function levelsOf(typedText) {
  const text = typedText.replace(/^\s*levels:/i, "");
  const list = typedList(text);
  return list.length === 1 && Number.isInteger(list[0]) && !text.includes(",") ? {levels: list[0]} : {sigmas: list};
}

/** Return the level nearest to what was typed, as text, or the text where it is none. */
export function nearestLevel(text, sigma) {
  const wanted = typed(text);
  if (typeof wanted !== "number" || !(wanted > 0) || !sigma.length) return text;
  const distance = sigma.map((level) => Math.abs(Math.log(level / wanted)));
  return levelText(sigma[distance.indexOf(Math.min(...distance))]);
}

/** Return a noise level as the form shows it. */
export const levelText = (level) => String(Number(level.toPrecision(DIGITS)));
const defined = (object) => Object.fromEntries(Object.entries(object).filter(([, setting]) => setting !== undefined));
