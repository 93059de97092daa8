// A run's events over a WebSocket: from the first one on, joined again after every break.

import {FINAL} from "../protocol/states.js";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
const UNKNOWN_RUN = 4404;
const REFUSED = 4403;
const TOO_SLOW = 4408;

/** Return how long to wait before the next attempt, in ms; `attempt` counts from 0. */
export const backoff = (attempt) => Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);

/**
 * A run's log, followed until its final event or until `close`.
 *
 * `url(after)` is where to connect; `onEvent(event)` gets text frames, `onFrame(buffer)` binary ones and
 * returns the id of what it read; `onStatus(status, waitMs)` is told connecting, live, waiting, finished,
 * unknown or refused.
 */
export class Stream {
  constructor(url, listeners, {Socket = WebSocket, later = setTimeout} = {}) {
    Object.assign(this, {url, listeners, Socket, later, after: null, attempt: 0, finished: false, closed: false});
    this.#connect();
  }

  close() {
    this.closed = true;
    this.socket?.close();
  }

  #connect() {
    if (this.closed) return;
    this.listeners.onStatus("connecting");
    this.socket = new this.Socket(this.url(this.after));
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.listeners.onStatus("live");
    this.socket.onmessage = ({data}) => this.#receive(data);
    this.socket.onclose = ({code}) => this.#broken(code);
  }

  #receive(data) {
    if (this.closed) return;
    this.attempt = 0;
    if (typeof data !== "string") {
      this.after = this.listeners.onFrame(data) ?? this.after;
      return;
    }
    const event = JSON.parse(data);
    this.after = event.id ?? this.after;
    this.finished ||= FINAL.includes(event.type);
    this.listeners.onEvent(event);
  }

  #broken(code) {
    if (this.closed) return;
    if (this.finished) this.listeners.onStatus("finished");
    else if (code === UNKNOWN_RUN) this.listeners.onStatus("unknown");
    else if (code === REFUSED) this.listeners.onStatus("refused");
    else this.#again(code === TOO_SLOW ? 0 : backoff(this.attempt++));
  }

  #again(waitMs) {
    this.listeners.onStatus("waiting", waitMs);
    const {later} = this; // a browser's setTimeout must not be called as a method
    later(() => this.#connect(), waitMs);
  }
}
