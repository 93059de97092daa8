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

/** Return the lines of a text that say something; none at all is for the server to refuse. */
export const typedTexts = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

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
export function labelsText(chosen, labels) {
  const positions = chosen.map((label) => (typeof label === "number" ? label : labels.indexOf(label)));
  const isRange = positions.every((position, i) => position >= 0 && position === positions[0] + i);
  if (chosen.length > 2 && chosen.every((label) => typeof label === "number")) return rangesOf(chosen).join(", ");
  // A name with a comma would be read as two: its index stands for it.
  const names = chosen.map((label, i) => (String(label).includes(",") && positions[i] >= 0 ? positions[i] : label));
  return chosen.length > 2 && isRange ? `${positions[0]}-${positions.at(-1)}` : names.join(", ");
}

/** Return indices as text, three or more in a row as a range. */
export function rangesOf(indices) {
  const runs = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last?.at(-1) === index - 1) last.push(index);
    else runs.push([index]);
  }
  return runs.flatMap((run) => (run.length > 2 ? [`${run[0]}-${run.at(-1)}`] : run));
}

/** Return the name of the model a newcomer should see first. */
export function preferred(models) {
  const ready = models.filter(({available}) => available);
  const first = ready.find(({label_kind: kind, labels}) => kind === "classes" && labels.length) ?? ready[0] ?? models[0];
  return first?.name ?? "";
}

/** Which pictures of latents are decoded unless the spec says otherwise. */
export const USUAL_DECODE = "last";

/** Return the spec of a filled form; what was left to the model stays out. */
export function specOf(filled) {
  const {model, params, partitions, prior, paths = "model", advanced, studies, sigmas = null, fields} = filled;
  const value = (name) => typed(fields[name] ?? "");
  const schedule = defined({
    steps: value("schedule.steps"),
    sigma_max: value("schedule.sigma_max"),
    sigma_min: value("schedule.sigma_min"),
    rho: value("schedule.rho")
  });
  return defined({
    schema: 1,
    model,
    params: params && defined(params),
    partitions,
    prior,
    schedule: sigmas ? {sigmas} : schedule,
    trajectories: value("trajectories"),
    target_se_bits: value("target_se_bits"),
    companions: value("companions"),
    seed: value("seed"),
    paths_from: paths === "model" ? undefined : paths,
    ...advanced,
    studies,
    previews: previewsOf(value("previews.samples"), filled)
  });
}

function previewsOf(samples, {paired, decode}) {
  const previews = defined({samples, paired: {true: true, false: false}[paired], decode: decode || undefined});
  return Object.keys(previews).length ? previews : undefined;
}

/** Return what labelled data are, in few words. */
export const dataText = ({examples, part}) =>
  `of labelled data (${examples === null ? part : `${part}, ${examples.toLocaleString("en-US")}`})`;

/** Return the kind of decision that a partition is: "classes", "rest", "each", "pair", "preset:NAME" or "groups". */
export function kindOf(name, partition, presets) {
  if (partition === null) return "classes";
  if (partition === "each-vs-rest") return "rest";
  if (partition.each) return "each";
  const preset = presets.find((other) => other.name === name && JSON.stringify(other.partition) === JSON.stringify(partition));
  if (preset) return `preset:${name}`;
  const single = ({name: title, labels}) => labels?.length === 1 && labels[0] === title;
  return partition.length === 2 && partition.every(single) ? "pair" : "groups";
}

/** Return whether a partition sets single labels against the rest: all of them, or chosen ones. */
export const isRest = (partition) => partition === "each-vs-rest" || Array.isArray(partition?.each);

/** Return the partition of one label against another. */
export const pairOf = (one, other) => [one, other].map((label) => ({name: label, labels: [label]}));

/** Return a pair after the labels have changed: itself while they are there, else what stands in their place. */
export function pairAmong(labels, pair, before) {
  const there = (one) => one.length === 2 && one[0] !== one[1] && one.every((label) => labels.includes(label));
  if (there(pair)) return pair;
  const follow = (label) => (labels.includes(label) ? label : labels[before.indexOf(label)]);
  const moved = labels.length === before.length ? pair.map(follow) : [];
  return there(moved) ? moved : labels.slice(0, 2);
}

/** Return partitions by name from [name, partition]; the later of two equal names gets a number. */
export function named(entries) {
  const partitions = {};
  for (const [name, partition] of entries) {
    let free = name;
    for (let number = 2; free in partitions; number += 1) free = `${name}-${number}`;
    partitions[free] = partition;
  }
  return partitions;
}

/** Return weights from lines of "weight label"; what is no number goes to the server as it is. */
export function typedWeights(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const parts = lines.map((line) => /^(\S+)\s*(.*)$/.exec(line));
  return Object.fromEntries(parts.map(([, weight, label]) => [label, typed(weight)]));
}

/** Return [label, weight] as text that `typedWeights` reads. */
export const weightsText = (entries) => entries.map(([label, weight]) => `${weight} ${label}`).join("\n");

const MOST_INDICES = 100_000;
const indices = (first, last) =>
  Array.from({length: Math.min(MOST_INDICES, Math.max(0, last - first + 1))}, (_, i) => first + i);
const defined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
