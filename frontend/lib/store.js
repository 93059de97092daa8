// One state for all of the page.

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
