// Every URL of the server, and what it answers. Knows no DOM.

/** An answer that is not a success: the problem document (RFC 9457) of the server. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `the server answered ${status}`);
    this.status = status;
    this.errors = (body.errors ?? []).map(({field, message}) => ({
      field: field ?? "",
      reason: message ?? this.message
    }));
  }
}

/** The server did not answer at all. */
export class Unreachable extends Error {}

/** Whether an error may be gone in a moment: no answer, or one that says so. */
export const isPassing = (error) => error instanceof Unreachable || error.status === 503;

const runPath = (id) => `/api/runs/${encodeURIComponent(id)}`;

export const models = async () => (await get("/api/models")).models;
/** The studies of the papers, and which of them a worker alive can run. */
export const presets = async () => (await get("/api/presets")).presets;
export const workers = async () => (await get("/api/workers")).workers;
export const runs = async () => (await get("/api/runs?limit=50")).runs;
export const run = (id) => get(runPath(id));
export const result = (id) => get(resultUrl(id));
/** The result with each-vs-rest at another prior of the class; nothing is sampled again. */
export const resultAt = (id, prior) => get(`${resultUrl(id)}?${new URLSearchParams({pair_prior: prior})}`);
export const specSchema = () => get("/api/schema/spec");
export const comparison = (run, base) => get(comparisonUrl(run, base));
export const figure = () => get("/figure.json");

export const plan = (spec, signal) => send("POST", "/api/runs/plan", spec, signal);
export const createRun = (spec) => send("POST", "/api/runs", spec);
/** Make the twin of a guided run: the same trajectories without guidance; one that is there will do. */
export const createTwin = ({id, spec}) =>
  send("POST", "/api/runs?reuse=1", {...spec, guidance: null}, undefined, {"Idempotency-Key": `unguided-${id}`});
export const cancelRun = (id) => send("POST", `${runPath(id)}/cancel`);
export const extendRun = (id, trajectories) => send("POST", `${runPath(id)}/extend`, {trajectories});
export const refineRun = (id, options = {}) => send("POST", `${runPath(id)}/refine`, options);
export const deleteRun = (id) => send("DELETE", runPath(id));

const sweepPath = (id) => `/api/sweeps/${encodeURIComponent(id)}`;

export const sweep = (id) => get(sweepPath(id));
export const sweeps = async () => (await get("/api/sweeps?limit=50")).sweeps;
export const sweepPresets = async () => (await get("/api/sweeps/presets")).presets;
export const planSweep = (sweep, signal) => send("POST", "/api/sweeps/plan", sweep, signal);
export const createSweep = (sweep) => send("POST", "/api/sweeps", sweep);
export const cancelSweep = (id) => send("POST", `${sweepPath(id)}/cancel`);
export const deleteSweep = (id) => send("DELETE", sweepPath(id));

export const comparisonUrl = (run, base) => `/api/comparisons?${new URLSearchParams({run, base})}`;
export const resultUrl = (id) => `${runPath(id)}/result`;
export const curvesUrl = (id, {unit, axis}) =>
  `${runPath(id)}/curves.csv?${new URLSearchParams({unit, axis})}`;

export function eventsUrl(id, after, location = globalThis.location) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const query = after ? `?${new URLSearchParams({after})}` : "";
  return `${scheme}//${location.host}${runPath(id)}/events${query}`;
}

const get = (url) => request(url, {});

function send(method, url, document, signal, more = {}) {
  const headers = document === undefined ? more : {"Content-Type": "application/json", ...more};
  const body = document === undefined ? undefined : JSON.stringify(document);
  return request(url, {method, headers, body, signal});
}

async function request(url, options) {
  const response = await reach(url, options);
  if (response.status === 204) return null;
  const document = await read(response);
  if (!response.ok) throw new Problem(response.status, document);
  return document;
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("the server does not answer");
  }
}

/** Return the document of an answer; one that was broken off is none. */
async function read(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (response.ok) throw new Unreachable("the server broke off its answer");
    return {};
  }
}
