// From a run, its view and what the viewer chose to the scene that plots draw. Pure.

import {shownEnds} from "../plots/axes.js";
import {colour, groupColours, hue} from "../lib/colour.js";
import {shownAxis} from "../protocol/address.js";
import {groupsInside, labelsOf} from "../protocol/groups.js";
import {best} from "../protocol/quantities.js";
import {isFinal} from "../protocol/states.js";

const MOST_CURVES = 16;
const SHOWN_OF_MANY = 6;

/** Return everything the plots need. `run` is a run document or the answer to a plan. */
export function sceneOf({figure, run, view, state, theme}) {
  const keys = run.curves.map(({key}) => key);
  const hidden = state.hidden ?? hiddenAtFirst(run.curves);
  const focus = focusOf(keys, {focus: state.focus, hidden});
  const provisional = !isFinal(view.state) && view.batches === 0;
  const curves = run.curves.map((curve) => ({
    ...best(view.curves[curve.key], figure.band.standard_errors),
    ...colorsOf(figure, theme, run, curve),
    focus: curve.key === focus,
    visible: !hidden.has(curve.key),
    provisional
  }));
  const window = view.windows[focus] ?? null;
  return {
    figure,
    theme,
    view,
    window,
    pictures: run.spec.previews !== null && run.spec.previews.samples > 0,
    sketched: state.runId === null,
    sigma: run.sigma,
    labels: run.labels,
    axis: shownAxis(state, false),
    unit: state.unit,
    cross: state.cross,
    parts: state.parts,
    ends: shownEnds(run.sigma, state.range === "window" ? window : null),
    all: curves,
    curves: curves.filter(({visible}) => visible),
    focus: curves.find((curve) => curve.focus),
    colors: labelColors(figure, run, run.curves.find(({key}) => key === focus))
  };
}

/** Return the curves that a viewer has to ask for: of many, only the first are shown. */
export const hiddenAtFirst = (curves) =>
  new Set(curves.length > MOST_CURVES ? curves.slice(SHOWN_OF_MANY).map(({key}) => key) : []);

/** Return the curve in focus: the chosen one if it is visible, else the first visible. */
export function focusOf(keys, {focus, hidden}) {
  if (keys.includes(focus) && !hidden.has(focus)) return focus;
  return keys.find((key) => !hidden.has(key)) ?? keys[0];
}

/** Return the colour of every run label; labels of one group share the group's. */
export function labelColors(figure, run, curve) {
  const partition = run.spec?.partitions?.[curve?.partition];
  const groups = Array.isArray(partition) ? groupsInside(partition, curve.path ?? []) : null;
  const n = run.labels.length;
  if (!groups) return run.labels.map((_, i) => colour(figure, i, n));
  const positionOf = placeOf(run);
  const members = groups.map((group) => labelsOf(group).map(positionOf));
  const colors = groupColours(figure, members, n);
  return run.labels.map((_, i) => colors[members.findIndex((places) => places.includes(i))] ?? figure.outside);
}

/** Return what finds a spec's label, a name or an index of the model, among the labels of the run. */
function placeOf({labels, spec}) {
  const partitions = Object.values(spec.partitions);
  const named = partitions.filter(Array.isArray).flat().flatMap(labelsOf);
  if (partitions.some((partition) => !Array.isArray(partition))) return (label) => find(labels, label, (i) => i);
  const indices = [...new Set(named.filter((label) => typeof label === "number"))].sort((a, b) => a - b);
  const unnamed = labels.map((_, i) => i).filter((i) => !named.includes(labels[i]));
  return (label) => find(labels, label, (index) => unnamed[indices.indexOf(index)]);
}

const find = (labels, label, byIndex) => (typeof label === "number" ? byIndex(label) : labels.indexOf(label));

/** Return the step under the cursor: the chosen one, the newest of a live run, or the peak. */
export function cursorStep({step, still}, view, scene) {
  if (step !== null && step < scene.sigma.length) return step;
  if (!isFinal(view.state) && view.newest && !still) return view.newest.step;
  const peak = scene.window?.sigma_peak;
  if (peak) return nearestLevel(scene.sigma, peak);
  return view.newest ? view.newest.step : null;
}

function nearestLevel(sigma, wanted) {
  const distance = sigma.map((level) => Math.abs(Math.log(level / wanted)));
  return distance.indexOf(Math.min(...distance));
}

/** A class has its colour wherever it is shown; of decisions among several, each has one that no class has. */
function colorsOf(figure, theme, run, curve) {
  const {entropy, production, decisions} = figure[theme].colors;
  if (run.curves.length === 1) return {color: entropy, productionColor: production};
  const labelOf = ({path}) => run.labels.indexOf(path.at(-1));
  const label = labelOf(curve);
  const among = run.curves.filter((other) => labelOf(other) < 0).indexOf(curve);
  const color = label >= 0 ? colour(figure, label, run.labels.length) : decisions[among] ?? hue(among);
  return {color, productionColor: color};
}
