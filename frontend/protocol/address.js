// The address of what the page shows: #/runs/<id>?axis=...,
// #/compare/<run>/<base> for a comparison, #/sweeps/<id> for a sweep and #/sweeps for the theory bench.
// A run goes before a sweep, a sweep before the bench.

const CHOICES = {
  axis: ["sigma", "ln_sigma", "log_snr", "vp_time", "scaled_time"],
  unit: ["bits", "nats"],
  range: ["all", "window"],
  cross: ["no", "yes"],
  parts: ["no", "yes"],
  view: ["curves", "studies"]
};

const MOST_HIDDEN = 64;
const numbers = (text) => text.split(",").map(Number);

/** What a viewer points at in what is shown: how it is read from the address, and written. */
const POINTED = {
  step: {read: (text) => (/^\d+$/.test(text) ? Number(text) : null), write: String},
  focus: {read: (text) => text, write: (key) => key},
  hidden: {read: (text) => new Set(text.split(",").filter(Boolean)), write: (keys) => (keys.size > MOST_HIDDEN ? null : [...keys].join(","))},
  followed: {read: (text) => (/^\d+(,\d+)*$/.test(text) ? numbers(text) : null), write: (indices) => indices.join(",")}
};

/** The state of a viewer who points at nothing yet: null is left to the page. */
export const FRESH = Object.fromEntries(Object.keys(POINTED).map((name) => [name, null]));

/** Return the run and the view that a hash asks for; what it does not say has its default. */
export function parseHash(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const id = (noun) => new RegExp(`^/${noun}/([^/]+)$`).exec(path)?.[1];
  const pair = /^\/compare\/([^/]+)\/([^/]+)$/.exec(path);
  const asked = new URLSearchParams(query);
  const view = Object.entries(CHOICES).map(([name, choices]) => [
    name,
    choices.includes(asked.get(name)) ? asked.get(name) : choices[0]
  ]);
  const named = {
    runId: decoded(pair?.[1] ?? id("runs")),
    baseId: decoded(pair?.[2]),
    sweepId: decoded(id("sweeps")),
    bench: path === "/sweeps"
  };
  const pointed = Object.entries(POINTED).map(([name, {read}]) => [name, asked.has(name) ? read(asked.get(name)) : null]);
  return {...named, ...Object.fromEntries([...view, ...pointed])};
}

/** Return the axis that can be shown: u = t / t_s only where there is a speciation time. */
export const shownAxis = ({axis}, speciates) => (axis === "scaled_time" && !speciates ? "vp_time" : axis);

/** Return the hash of a state, without its defaults. */
export function formatHash(state) {
  const query = new URLSearchParams();
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (state[name] !== choices[0]) query.set(name, state[name]);
  }
  for (const [name, {write}] of Object.entries(POINTED)) {
    const text = state[name] === null || state[name] === undefined ? null : write(state[name]);
    if (text !== null) query.set(name, text);
  }
  const path = pathOf(state);
  return query.size ? `#${path}?${query}` : `#${path}`;
}

/** Return the hash that leads to another run, sweep or comparison, with the same choices of the view. */
export const leadingTo = (state, path) => formatHash({...state, ...FRESH, ...path});

/** Return whether two states differ in nothing but what a viewer points at. */
export const pointsElsewhere = (state, before) => formatHash({...state, ...FRESH}) === formatHash({...before, ...FRESH});

/** Return the path in the address: what is shown, without axis, unit and other choices of the view. */
export function pathOf({runId, baseId, sweepId, bench}) {
  const [run, base] = [runId, baseId].map((id) => encodeURIComponent(id ?? ""));
  if (runId) return baseId ? `/compare/${run}/${base}` : `/runs/${run}`;
  if (sweepId) return `/sweeps/${encodeURIComponent(sweepId)}`;
  return bench ? "/sweeps" : "/";
}

function decoded(text) {
  if (text === undefined) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is no run's id; the server will say so
  }
}
