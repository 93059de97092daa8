// What the page asks the server again and again: the runs, the models and the workers; and whether it answers.

import * as api from "../api.js";
import {createPoll} from "../lib/poll.js";

const RUNS_POLL_MS = 1500;
const WORKERS_POLL_MS = 4000;

/**
 * What is known of the server, kept up to date.
 *
 * `onChange()` is told after every answer, `onModels(models)` when other models are offered, and `onReturn()` when the
 * server answers again after it did not.
 */
export class Feed {
  constructor(listeners) {
    Object.assign(this, {listeners, models: [], runs: [], workers: null});
    this.connection = {reachable: true, trouble: null, stream: null, waitMs: 0};
    const take = (answer) => this.#take(answer);
    this.askRuns = createPoll(async () => ({runs: await api.runs()}), take, RUNS_POLL_MS);
    this.askWorkers = createPoll(askWorkers, take, WORKERS_POLL_MS);
  }

  start() {
    this.askRuns();
    this.askWorkers();
  }

  /** Take the status of the stream of events that is followed; null where none is. */
  streaming(stream, waitMs = 0) {
    Object.assign(this.connection, {stream, waitMs});
    this.listeners.onChange();
  }

  #take({error, ...answer}) {
    const wasReachable = this.connection.reachable;
    const reachable = !(error instanceof api.Unreachable);
    Object.assign(this.connection, {reachable, trouble: error instanceof api.Problem ? error.message : null});
    const others = answer.models && JSON.stringify(answer.models) !== JSON.stringify(this.models);
    if (!error) Object.assign(this, answer);
    if (others) this.listeners.onModels(answer.models);
    if (reachable && !wasReachable) this.listeners.onReturn();
    this.listeners.onChange();
  }
}

async function askWorkers() {
  const [models, workers] = await Promise.all([api.models(), api.workers()]);
  return {models, workers};
}
