// The two-way link between the state of the page and the address bar.

import {formatHash, parseHash, pathOf} from "../protocol/address.js";

/** Keep a store and the address bar equal, whichever changes. */
export function bindAddress(store, window) {
  store.subscribe((state, before) => {
    const hash = formatHash(state);
    if (hash === window.location.hash || hash === formatHash(before)) return;
    if (pathOf(state) === pathOf(before)) window.history.replaceState(null, "", hash);
    else window.history.pushState(null, "", hash);
  });
  const read = () => store.set(parseHash(window.location.hash));
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);
}
