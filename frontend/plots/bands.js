// A curve and the bands around it, as traces; places without a value are left out.

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
