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
  return {...named, ...Object.fromEntries(view)};
}

/** Return the axis that can be shown: u = t / t_s only where there is a speciation time. */
export const shownAxis = ({axis}, speciates) => (axis === "scaled_time" && !speciates ? "vp_time" : axis);

/** Return the hash of a state, without its defaults. */
export function formatHash(state) {
  const query = new URLSearchParams();
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (state[name] !== choices[0]) query.set(name, state[name]);
  }
  const path = pathOf(state);
  return query.size ? `#${path}?${query}` : `#${path}`;
}

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
