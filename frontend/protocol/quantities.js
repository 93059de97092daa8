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

/** Return a curve with its combined estimates in place of the plain ones; one that has none stays as it is. */
export function refined(curve) {
  const names = QUANTITIES.filter(({combined}) => combined).map(({name}) => name);
  if (!names.every((name) => curve[`${name}_combined`])) return curve;
  const estimates = names.flatMap((name) => [[name, curve[`${name}_combined`]], [`${name}_se`, curve[`${name}_combined_se`]]]);
  return {...curve, ...Object.fromEntries(estimates)};
}
