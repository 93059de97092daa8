// Draw when something changed: once per animation frame, at most so often a second.

/** Drawing gets at most this share of the time: a slow machine draws less often, but stays usable. */
const SHARE = 0.4;

/** Return `request`, which makes `draw` run soon; any number of requests until then are one. */
export function createDrawLoop(draw, perSecond, {frame = requestAnimationFrame, clock = performance} = {}) {
  let gapMs = 0;
  let last = -Infinity;
  let waiting = false;

  function tick(now) {
    if (now - last < gapMs) return void frame(tick);
    waiting = false;
    last = now;
    const started = clock.now();
    draw();
    gapMs = Math.max(1000 / perSecond, (clock.now() - started) / SHARE);
  }

  return function request() {
    if (waiting) return;
    waiting = true;
    frame(tick);
  };
}
