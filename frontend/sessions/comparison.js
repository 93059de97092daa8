// One watched comparison: both of its runs until they have ended, then what they differ in.

import * as api from "../api.js";
import {isFinal} from "../protocol/states.js";

const WAIT_MS = 1000;

/** Wait for the runs of a pair until `close`; listeners are onChange and onError(error, again). */
export class ComparisonSession {
  constructor(pair, listeners) {
    Object.assign(this, {pair, listeners, runs: null, document: null, failed: false, closed: false});
  }

  async open() {
    this.failed = false;
    while (!this.closed && !this.document) {
      const error = await this.#look().catch((reason) => reason);
      if (this.closed) return;
      this.failed = error instanceof Error;
      if (this.failed) return this.listeners.onError(error, () => this.closed || this.open());
      this.listeners.onChange();
      if (!this.document) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }

  close() {
    this.closed = true;
  }

  async #look() {
    this.runs = await Promise.all(this.pair.map((id) => api.run(id)));
    if (!this.runs.every(({state}) => isFinal(state))) return;
    this.document = await api.comparison(...this.pair);
  }
}
