// Draw when something changed: once per animation frame, at most so often a second.

/** Return `request`, which makes `draw` run soon; any number of requests until then are one. */
export function createDrawLoop(draw, perSecond, {frame = requestAnimationFrame} = {}) {
  const gapMs = 1000 / perSecond;
  let last = -Infinity;
  let waiting = false;

  function tick(now) {
    if (now - last < gapMs) return void frame(tick);
    waiting = false;
    last = now;
    draw();
  }

  return function request() {
    if (waiting) return;
    waiting = true;
    frame(tick);
  };
}
