// Every quantity that a run measures over the noise axis: the only list of them in the page. Pure.
// Each entry has the shape of the server's table of quantities: name (its key in a result), unit, is_rate (per unit of
// ln sigma, so that it is rescaled with the axis), combined (also estimated with control variates), title and symbol.

export const QUANTITIES = [
  {name: "entropy", unit: "bits", is_rate: false, combined: true, title: "entropy H", symbol: "H"},
  {name: "cross_entropy", unit: "bits", is_rate: false, combined: false, title: "cross-entropy", symbol: "cross-entropy"},
  {name: "production", unit: "bits", is_rate: true, combined: true, title: "production", symbol: "production"}
];

const BY_NAME = new Map(QUANTITIES.map((quantity) => [quantity.name, quantity]));

/** Return a quantity by its name. */
export const quantity = (name) => BY_NAME.get(name);

/** Return the names of a quantity's values and of their standard errors in a curve. */
export const withError = (name) => [name, `${name}_se`];

/** Return the names of a quantity's values and of half of their 95 % band in a curve as it is shown. */
export const withBand = (name) => [name, `${name}_band`];

/** Return the title of an axis of a quantity, with its unit: "production (bits per ln sigma)". */
export function axisTitle(name, {unit, per}, change = false) {
  const {title, is_rate: isRate} = quantity(name);
  return `${change ? "Δ " : ""}${title} (${unit}${isRate ? ` per ${per}` : ""})`;
}

/** Return a value of a quantity with its unit, as a sentence has it: "H = 1.93 ± 0.02 bits". */
export function inWords(name, text, {unit, per}) {
  const {symbol, is_rate: isRate} = quantity(name);
  return `${symbol} = ${text} ${unit}${isRate ? ` per ${per}` : ""}`;
}

const COMBINED = QUANTITIES.filter(({combined}) => combined).map(({name}) => name);

/** The arrays of the best estimate that a curve of a result or of a batch may have. */
export const COMBINED_ARRAYS = COMBINED.flatMap((name) => ["", "_se", "_step_error"].map((end) => `${name}_combined${end}`));

/** Return whether a curve has its best estimate with all of its error; results of before version 0.3 have not. */
export const isCombined = (curve) => COMBINED_ARRAYS.every((name) => curve[name]) && curve.entropy_combined.some(isNumber);

/**
 * Return a curve as it is shown: the best estimate of each quantity and, as NAME_band, half of its 95 % band.
 *
 * The band is `times` standard errors plus what steps, the range of sigma and pruning have left. Where there is no best
 * estimate the curve keeps its plain means; entropy may have an error of the steps there, production has none. The
 * curve as it was is `plain`, and NAME_noise is the part of the band that is noise.
 */
export function best(curve, times) {
  const combined = isCombined(curve);
  const estimates = COMBINED.flatMap((name) => {
    const key = combined ? `${name}_combined` : name;
    const [se = [], steps] = [curve[`${key}_se`], curve[`${key}_step_error`]];
    const noise = se.map((error) => (isNumber(error) ? times * error : null));
    const whole = noise.map((half, i) => (half === null ? null : half + (steps?.[i] ?? 0)));
    return [[name, curve[key]], [`${name}_se`, se], [`${name}_noise`, noise], [`${name}_band`, whole]];
  });
  const n = combined && Array.isArray(curve.n) ? curve.n.map(() => curve.counted ?? null) : curve.n;
  return {...curve, ...Object.fromEntries(estimates), n, plain: curve, combined};
}

/** Return the values of a profile: the best estimate where it has one. */
export const bestProfile = ({entropy, entropy_combined: combined}) => combined ?? entropy;

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
