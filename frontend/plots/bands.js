// A curve and the bands around it, as traces; places without a value are left out.

import {faded} from "../lib/colour.js";

const PLAIN_DASH = "1px,2px";
const PROVISIONAL_DASH = "2px,3px";

/** Return the trace of an area between two curves. */
export function band(x, low, high, fillcolor) {
  const known = x.map((_, i) => i).filter((i) => isNumber(low[i]) && isNumber(high[i]));
  const back = [...known].reverse();
  return {
    type: "scatter",
    mode: "lines",
    x: [...known.map((i) => x[i]), ...back.map((i) => x[i])],
    y: [...known.map((i) => high[i]), ...back.map((i) => low[i])],
    fill: "toself",
    fillcolor,
    line: {width: 0},
    hoverinfo: "skip"
  };
}

/**
 * Return the traces that show the error of a curve: its 95 % band and, where the parts are asked for, the noise in it.
 *
 * `drawn` takes values of the curve to what is drawn: in the unit, per unit of the axis.
 */
export function errorBands(x, curve, name, {color, parts, drawn}) {
  const around = (half) => [-1, 1].map((sign) => drawn(shifted(curve[name], curve[half], sign)));
  const whole = band(x, ...around(`${name}_band`), faded(color, 0.24));
  return parts === "yes" ? [whole, band(x, ...around(`${name}_noise`), faded(color, 0.24))] : [whole];
}

/** Return the plain mean beside the best estimate, where the parts are asked for and there are two. */
export function plainLines(x, curve, name, {color, parts, drawn}) {
  if (parts !== "yes" || !curve.combined) return [];
  return [line(x, drawn(curve.plain[name]), color, {width: 1.4, dash: PLAIN_DASH, name: `${curve.title}, plain mean`})];
}

/** Return the trace of a curve; few points get a marker each, so that the noise levels show. */
export function line(x, y, color, {width = 2, dash = "solid", name = "", markers = false} = {}) {
  return {
    type: "scatter",
    mode: markers && x.length <= 100 ? "lines+markers" : "lines",
    x,
    y,
    name,
    connectgaps: true,
    line: {color, width, dash},
    marker: {color, size: 4},
    hoverinfo: "skip"
  };
}

/** Return how the line of a curve is drawn: heavier in focus, dotted while it is provisional. */
export const lineStyle = ({focus, provisional, title}) =>
  ({width: focus ? 2.4 : 1.4, markers: focus, name: title, dash: provisional ? PROVISIONAL_DASH : "solid"});

/** Return the trace of an exact curve: dashed and over everything else, wherever it stands among the traces. */
export const exactLine = (x, y, color, name) =>
  ({...line(x, y, color, {width: 1.3, dash: "5px,4px", name: `${name}, exact`}), zorder: 1});

/** Return the trace of a sketch. */
export const dotted = (x, y, color) => ({...line(x, y, color, {width: 1.5, dash: "1px,5px"}), opacity: 0.8});

/** Return values plus a multiple of their errors, times a factor; null where either is unknown. */
export const shifted = (values, errors, multiple, factor = 1) =>
  values.map((value, i) =>
    isNumber(value) && isNumber(errors[i]) ? (value + multiple * errors[i]) * factor : null
  );

export const scaled = (values, factor) =>
  values.map((value, i) => (isNumber(value) ? value * (typeof factor === "number" ? factor : factor[i]) : null));

export const largest = (...lists) => Math.max(0, ...lists.flat().filter(isNumber));

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
