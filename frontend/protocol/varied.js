// What a sweep varies, from its merge patches: the path, its value in every run, and how both are called.

import {rangesOf} from "./spec.js";

const NAMES = {
  "params.dimension": ["d", "dimension d (dimensionless)"],
  "params.offset": ["offset", "offset per coordinate (units of the data)"],
  "params.offsets": ["offsets", "offsets per coordinate (units of the data)"],
  "params.std": ["s", "standard deviation s (units of the data)"],
  "params.means": ["means", "means (units of the data)"],
  "schedule.steps": ["steps", "steps (number)"],
  "schedule.sigma_max": ["σ max", "σ max (units of the data)"],
  "schedule.sigma_min": ["σ min", "σ min (units of the data)"],
  "guidance.scale": ["w", "guidance scale w (dimensionless)"]
};
const LONG = 5;
/** What is put up with the thing that is varied, and does not name it. */
const FOLLOWERS = ["schedule.sigma_max", "schedule.sigma_min", "schedule.steps", "schedule.rho", "trajectories", "batch_sizes", "previews"];

const follows = (path) => FOLLOWERS.some((name) => path === name || path.startsWith(`${name}.`));

/** Return what differs between the runs: [{path, short, long, values}]; what only follows comes last. */
export function variedOf(vary) {
  const flat = vary.map((patch) => new Map(leaves(patch)));
  const paths = [...new Set(flat.flatMap((patch) => [...patch.keys()]))];
  const differing = paths
    .map((path) => ({path, ...namesOf(path), values: flat.map((patch) => patch.get(path))}))
    .filter(({values}) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
  return [...differing.filter(({path}) => !follows(path)), ...differing.filter(({path}) => follows(path))];
}

/** Return a name for every run: "d = 100"; what only follows is left out unless nothing else varies. */
export function runNames(vary) {
  const varied = variedOf(vary);
  const named = varied.filter(({path}) => !follows(path));
  const shown = named.length ? named : varied.slice(0, 1);
  return vary.map((_, i) => {
    const parts = shown.filter(({values}) => values[i] !== undefined);
    return parts.map(({short, values}) => `${short} = ${text(values[i])}`).join(", ") || `run ${i + 1}`;
  });
}

/** Return a document with another value at a dotted path. */
export function withValue(document, path, value) {
  const [first, ...rest] = path.split(".");
  return {...document, [first]: rest.length ? withValue(document[first] ?? {}, rest.join("."), value) : value};
}

function leaves(node, path = "") {
  if (typeof node !== "object" || node === null || Array.isArray(node)) return [[path, node]];
  return Object.entries(node).flatMap(([name, value]) => leaves(value, path ? `${path}.${name}` : name));
}

function namesOf(path) {
  const last = path.split(".").at(-1).replaceAll("_", " ");
  const [short, long] = NAMES[path] ?? [last, last];
  return {short, long};
}

/** Whether a value is a list of whole numbers, indices for example, too long to be read one by one. */
const isLong = (value) => Array.isArray(value) && value.length >= LONG && value.every(Number.isInteger);

function text(value) {
  if (typeof value === "number") return value.toLocaleString("en-US", {maximumSignificantDigits: 6});
  if (value === null) return "none";
  if (isLong(value)) return rangesOf(value).join(", ");
  if (Array.isArray(value)) return value.map(text).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
