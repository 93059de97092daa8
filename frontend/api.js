// Every URL of the server, and what it answers. Knows no DOM.

/** An answer that is not a success: the problem document (RFC 9457) of the server. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? `the server answered ${status}`);
    this.status = status;
    this.errors = (document.errors ?? []).map(({field, message}) => ({
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
export const workers = async () => (await get("/api/workers")).workers;
export const runs = async () => (await get("/api/runs?limit=50")).runs;
export const run = (id) => get(runPath(id));
export const result = (id) => get(resultUrl(id));
export const figure = () => get("/figure.json");

export const plan = (spec, signal) => send("POST", "/api/runs/plan", spec, signal);
export const createRun = (spec) => send("POST", "/api/runs", spec);
export const cancelRun = (id) => send("POST", `${runPath(id)}/cancel`);
export const extendRun = (id, trajectories) => send("POST", `${runPath(id)}/extend`, {trajectories});
export const refineRun = (id) => send("POST", `${runPath(id)}/refine`, {});
export const deleteRun = (id) => send("DELETE", runPath(id));

export const resultUrl = (id) => `${runPath(id)}/result`;
export const curvesUrl = (id, {unit, axis}) =>
  `${runPath(id)}/curves.csv?${new URLSearchParams({unit, axis})}`;

export function eventsUrl(id, after, location = globalThis.location) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const query = after ? `?${new URLSearchParams({after})}` : "";
  return `${scheme}//${location.host}${runPath(id)}/events${query}`;
}

const get = (url) => request(url, {});

function send(method, url, document, signal) {
  const headers = document === undefined ? {} : {"Content-Type": "application/json"};
  const body = document === undefined ? undefined : JSON.stringify(document);
  return request(url, {method, headers, body, signal});
}

async function request(url, options) {
  const response = await reach(url, options);
  if (response.status === 204) return null;
  const document = await response.json().catch(() => ({}));
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
