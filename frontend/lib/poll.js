// Polling: less often while the page is hidden; an answer that a later request has overtaken is dropped.

const HIDDEN_TIMES = 6;

/** Return `askNow`; until the next call, `ask` is asked every so often and `take` is given its answer or error. */
export function createPoll(ask, take, everyMs, {page = document, later = setTimeout, stop = clearTimeout} = {}) {
  let turn = 0;
  let timer = null;

  async function askNow() {
    const question = (turn += 1);
    const answer = await ask().catch((error) => ({error}));
    if (question !== turn) return; // a later question has gone out: its answer is the newer one
    take(answer);
    stop(timer);
    timer = later(askNow, page.hidden ? HIDDEN_TIMES * everyMs : everyMs);
  }

  page.addEventListener("visibilitychange", () => page.hidden || askNow());
  return askNow;
}
