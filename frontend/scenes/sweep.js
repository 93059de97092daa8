// From a sweep, the views of its runs and what the viewer chose to the scene that plots draw. Pure.

import {shownEnds, value} from "../plots/axes.js";
import {colour} from "../lib/colour.js";
import {best} from "../protocol/quantities.js";
import {focusOf, hiddenAtFirst, labelColors} from "./run.js";
import {shownAxis} from "../protocol/address.js";
import {isFinal} from "../protocol/states.js";
import {decisionsOf, levelAtScaled, speciation} from "./speciation.js";
import {runNames} from "../protocol/varied.js";

/** With more than a bit to decide, the band around half a bit says nothing. */
const ONE_BIT = 1.001;

/** Return the lines of a sweep: {key, run, curve, title}, one for every curve of every run. */
export function linesOf(sweep) {
  const names = runNames(sweep.vary);
  const alone = sweep.runs.length === 1;
  return sweep.runs.flatMap((run, i) =>
    run.curves.map((curve) => {
      const name = curve.path.at(-1) ?? curve.title;
      const title = alone ? name : run.curves.length > 1 ? `${names[i]}, ${name}` : names[i];
      return {key: lineKey(run, curve), index: i, run, curve, title};
    })
  );
}

export const lineKey = (run, curve) => `${run.id}.${curve.key}`;

/** Return the lines that a viewer has to ask for: of several runs, each shows its first curve at first. */
export function linesHiddenAtFirst(sweep) {
  const lines = linesOf(sweep);
  const firsts = lines.filter(({run, curve}) => sweep.runs.length === 1 || curve === run.curves[0]);
  const others = lines.filter((line) => !firsts.includes(line)).map(({key}) => key);
  return new Set([...others, ...hiddenAtFirst(firsts)]);
}

/** Return the scene of a sweep; `views` are the folded views of its runs by id, `state` is the page's. */
export function sweepScene({figure, sweep, views, state, theme}) {
  const lines = linesOf(sweep);
  const hidden = state.hidden ?? linesHiddenAtFirst(sweep);
  const focusKey = focusOf(lines.map(({key}) => key), {focus: state.focus, hidden});
  const axis = shownAxis(state, sweep.runs.some((run) => unitTime(run) !== null));
  const all = lines
    .map((line) => lineCurve(line, views, {color: colorOf(figure, line, sweep.runs.length), times: figure.band.standard_errors}))
    .map((curve) => ({...curve, focus: curve.key === focusKey, visible: !hidden.has(curve.key)}));
  const shown = all.filter(({visible, time}) => visible && (axis !== "scaled_time" || time !== undefined));
  const focus = shown.find((curve) => curve.focus) ?? shown[0];
  return {
    figure,
    theme,
    axis,
    unit: state.unit,
    cross: state.cross,
    parts: state.parts,
    window: null,
    pictures: false,
    sketched: false,
    labels: focus?.labels ?? [],
    sigma: focus?.sigma ?? all[0].sigma,
    time: focus?.time,
    ends: endsOf(shown.length ? shown : all, axis, state.range, focus),
    all,
    curves: shown,
    focus,
    colors: focus ? labelColors(figure, focus.run, focus.outline) : [],
    marks: marksOf(shown),
    halfway: shown.length > 0 && shown.every(({bound}) => bound <= ONE_BIT && bound > figure.halfway.high)
  };
}

/** Return the speciation time that a run's u = t / t_s counts in: that of its first decision, or null. */
export function unitTime(run) {
  const [first] = decisionsOf(run.spec);
  return first ? speciation(first).time : null;
}

/** Return the step nearest to the speciation of the curve in focus, or to the peak of its production. */
export function restingStep({marks, focus, axis, time}) {
  if (!focus) return null;
  const mark = marks.find(({runId}) => runId === focus.run.id);
  const peak = mark?.sigma ?? focus.window?.sigma_peak;
  if (!peak) return null;
  const distance = focus.sigma.map((sigma) => Math.abs(value(axis, sigma, time) - value(axis, peak, time)));
  return distance.indexOf(Math.min(...distance));
}

/** The first curves of the runs have the first colours. */
function colorOf(figure, {run, curve, index}, numRuns) {
  const position = run.curves.indexOf(curve) * numRuns + index;
  return colour(figure, position, position + 1);
}

function lineCurve({key, index, run, curve, title}, views, {color, times}) {
  const view = views[run.id];
  const measured = view?.curves[curve.key] ?? curve;
  return {
    ...(view ? best(measured, times) : measured),
    key,
    index,
    run,
    title,
    path: [title],
    outline: curve,
    labels: run.labels,
    sigma: run.sigma,
    time: unitTime(run) ?? undefined,
    window: view?.windows[curve.key] ?? null,
    color,
    productionColor: color,
    banded: true,
    provisional: view ? !isFinal(view.state) && view.batches === 0 : false
  };
}

function marksOf(curves) {
  const firsts = curves.filter(({run}, i) => curves.findIndex((other) => other.run === run) === i);
  return firsts.flatMap(({run, color, time}) => {
    const decisions = decisionsOf(run.spec);
    return decisions.map((made) => ({...speciation(made), name: made.name, color, unitTime: time, runId: run.id}));
  });
}

/** Return the noise levels at both ends, for the curve in focus, such that every curve fits in. */
function endsOf(curves, axis, range, focus) {
  const levels = curves.map((curve) => shownEnds(curve.sigma, range === "window" ? curve.window : null));
  const outermost = (numbers) => [Math.max(...numbers.map(([high]) => high)), Math.min(...numbers.map(([, low]) => low))];
  if (axis !== "scaled_time") return outermost(levels);
  const scaled = levels.map((ends, i) => ends.map((sigma) => value(axis, sigma, curves[i].time)));
  return outermost(scaled).map((u) => levelAtScaled(u, focus?.time ?? 1));
}
