// The two-way link between the state of the page and the address bar.

import {formatHash, parseHash, pathOf, pointsElsewhere} from "../protocol/address.js";

/** A pointer moves faster than browsers take addresses. */
const POINTER_RESTS_MS = 300;

/** Keep a store and the address bar equal, whichever changes; what is pointed at follows once the pointer rests. */
export function bindAddress(store, window, {later = setTimeout, stop = clearTimeout} = {}) {
  let waiting = null;
  const replace = () => {
    const hash = formatHash(store.get());
    if (hash !== window.location.hash) window.history.replaceState(null, "", hash);
  };
  store.subscribe((state, before) => {
    const hash = formatHash(state);
    if (hash === window.location.hash || hash === formatHash(before)) return;
    stop(waiting);
    if (pathOf(state) !== pathOf(before)) window.history.pushState(null, "", hash);
    else if (pointsElsewhere(state, before)) waiting = later(replace, POINTER_RESTS_MS);
    else replace();
  });
  const read = () => store.set(parseHash(window.location.hash));
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);
}
