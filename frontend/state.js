// What the page shows, in one store, and its two-way link to the address bar: #/runs/<id>?axis=...

const CHOICES = {
  axis: ["sigma", "ln_sigma", "log_snr", "vp_time"],
  unit: ["bits", "nats"],
  range: ["all", "window"],
  cross: ["no", "yes"],
  refined: ["no", "yes"]
};

/** Return the run and the view that a hash asks for; what it does not say has its default. */
export function parseHash(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const found = /^\/runs\/([^/]+)$/.exec(path);
  const asked = new URLSearchParams(query);
  const view = Object.entries(CHOICES).map(([name, choices]) => [
    name,
    choices.includes(asked.get(name)) ? asked.get(name) : choices[0]
  ]);
  return {runId: found ? decoded(found[1]) : null, ...Object.fromEntries(view)};
}

/** Return the hash of a state, without its defaults. */
export function formatHash(state) {
  const query = new URLSearchParams();
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (state[name] !== choices[0]) query.set(name, state[name]);
  }
  const path = state.runId ? `/runs/${encodeURIComponent(state.runId)}` : "/";
  return query.size ? `#${path}?${query}` : `#${path}`;
}

/** Hold a state; `set` merges a patch and tells every subscriber (state, before). */
export function createStore(initial) {
  let state = initial;
  const subscribers = [];
  return {
    get: () => state,
    subscribe: (subscriber) => subscribers.push(subscriber),
    set(patch) {
      const before = state;
      state = {...before, ...patch};
      for (const subscriber of subscribers) subscriber(state, before);
    }
  };
}

/** Keep a store and the address bar equal, whichever changes. */
export function bindAddress(store, window) {
  store.subscribe((state, before) => {
    const hash = formatHash(state);
    if (hash === window.location.hash || hash === formatHash(before)) return;
    if (state.runId === before.runId) window.history.replaceState(null, "", hash);
    else window.history.pushState(null, "", hash);
  });
  const read = () => store.set(parseHash(window.location.hash));
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is no run's id; the server will say so
  }
}
