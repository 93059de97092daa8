// Numbers, durations and names as a person reads them.

const SMALLEST_ERROR = 1e-4;

/** Return a number with three significant digits, without needless zeros or exponents. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-5 || size >= 1e5) return value.toExponential(1).replace("-", "−").replace("e+", "e");
  return minus(size < 1e-3 ? value.toFixed(5) : String(Number(value.toPrecision(3))));
}

/**
 * Return a value with as many decimals as its error has sense for: "1.934 ± 0.021"; at least `least` decimals.
 *
 * An error of 0 is left out, one below 0.0001 is only bounded: what is known to be exact needs no row of zeros.
 */
export function measured(value, error, least = 2) {
  if (!isNumber(value)) return "–";
  if (!isNumber(error) || error === 0) return minus(value.toFixed(3));
  if (error < SMALLEST_ERROR) return `${minus(value.toFixed(4))} ± <${SMALLEST_ERROR}`;
  const decimals = Math.max(least, 1 - Math.floor(Math.log10(error)));
  return `${minus(value.toFixed(decimals))} ± ${error.toFixed(decimals)}`;
}

export const count = (value) => Math.round(value).toLocaleString("en-US");

/** Return a length of time in at most two units. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 1) return "under 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return `${hours} h ${Math.round((seconds - 3600 * hours) / 60)} min`;
}

/** Return ", about 42 s" to go on after a price, or nothing where the time is not known. */
export function afterPrice(seconds) {
  const time = duration(seconds);
  return time && `, ${seconds < 1 ? "" : "about "}${time}`;
}

export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

/** Return "next", "2nd in the queue", ... for the number of runs ahead. */
export function queuePlace(ahead) {
  if (!ahead) return "next in the queue";
  const position = ahead + 1;
  const ending = position % 100 > 10 && position % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][position % 10];
  return `${position}${ending ?? "th"} in the queue`;
}

/** Return a text of at most so many letters; where it is longer its middle is left out. */
export function shortened(text, most = 40) {
  const letters = [...text];
  if (letters.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  return `${letters.slice(0, most - 1 - end).join("").trimEnd()}…${letters.slice(letters.length - end).join("").trimStart()}`;
}

/** Return when something was, as a time of today or as a day. */
export function when(ms, now = Date.now()) {
  const [date, today] = [new Date(ms), new Date(now)];
  if (date.toDateString() === today.toDateString()) return date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  const year = date.getFullYear() === today.getFullYear() ? {} : {year: "numeric"};
  return date.toLocaleDateString([], {day: "numeric", month: "short", ...year});
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const minus = (text) => text.replace(/^-/, "−");
