// From what is typed to a spec, and back. Knows no DOM.

/** Return a number where the text is one, nothing where it is empty, else the text: the server names what is off. */
export function typed(text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed.replace(",", "."));
  return Number.isFinite(value) ? value : trimmed;
}

/** Return points from text: "-8, 4" is two on a line, "1, 2; 3, 4" two in the plane. */
export function typedPoints(text) {
  if (!text.trim()) return undefined;
  const rows = text.split(";").filter((row) => row.trim());
  const points = rows.map((row) => row.split(",").filter((part) => part.trim()).map(typed));
  return rows.length > 1 || text.includes(";") ? points : points[0].map((value) => [value]);
}

export const pointsText = (points) =>
  points.every((point) => point.length === 1)
    ? points.map(([value]) => value).join(", ")
    : points.map((point) => point.join(", ")).join("; ");

/** Return numbers from text: "0.2, 0.8". */
export function typedList(text) {
  if (!text.trim()) return undefined;
  return text.split(",").filter((part) => part.trim()).map(typed);
}

/** Return the labels that text names: names, indices and ranges of them, "Bag, 3, 5-7". */
export function typedLabels(text, labels) {
  return text.split(",").map((part) => part.trim()).filter(Boolean).flatMap((part) => {
    if (labels.includes(part)) return [part];
    const range = /^(\d+)\s*[-–]\s*(\d+)$/.exec(part);
    if (range) return indices(Number(range[1]), Number(range[2]));
    return /^\d+$/.test(part) ? [Number(part)] : [part];
  });
}

/** Return labels as text that `typedLabels` reads. */
export function labelsText(own, labels) {
  const places = own.map((label) => (typeof label === "number" ? label : labels.indexOf(label)));
  const run = places.every((place, i) => place >= 0 && place === places[0] + i);
  return own.length > 2 && run ? `${places[0]}-${places.at(-1)}` : own.join(", ");
}

/** Return the name of the model a newcomer should see first. */
export function preferred(models) {
  const ready = models.filter(({available}) => available);
  const first = ready.find(({label_kind: kind, labels}) => kind === "classes" && labels.length) ?? ready[0] ?? models[0];
  return first?.name ?? "";
}

/** Return the spec of a filled form; what was left to the model stays out. */
export function specOf({model, params, mode, groups, prior, fields, studies}) {
  const value = (name) => typed(fields[name] ?? "");
  const schedule = defined({
    steps: value("schedule.steps"),
    sigma_max: value("schedule.sigma_max"),
    sigma_min: value("schedule.sigma_min"),
    rho: value("schedule.rho")
  });
  const samples = value("previews.samples");
  return defined({
    schema: 1,
    model,
    params: params && defined(params),
    partitions: partitionsOf(mode, groups),
    prior,
    schedule,
    trajectories: value("trajectories"),
    target_se_bits: value("target_se_bits"),
    seed: value("seed"),
    studies,
    previews: samples === undefined ? undefined : {samples}
  });
}

export function partitionsOf(mode, groups) {
  if (mode === "each-vs-rest") return {rest: "each-vs-rest"};
  if (mode === "groups") return {groups};
  return {classes: null};
}

/** Return the mode of the form that shows a spec's partitions. */
export function modeOf(partitions) {
  const [first] = Object.values(partitions);
  if (first === "each-vs-rest") return "each-vs-rest";
  return Array.isArray(first) ? "groups" : "classes";
}

const MOST_INDICES = 100_000;
const indices = (first, last) =>
  Array.from({length: Math.min(MOST_INDICES, Math.max(0, last - first + 1))}, (_, i) => first + i);
const defined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
