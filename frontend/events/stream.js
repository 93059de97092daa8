// A run's events over a WebSocket: from the first one on, joined again after every break.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
const UNKNOWN_RUN = 4404;
const REFUSED = 4403;
const TOO_SLOW = 4408;
const FINAL = ["done", "failed", "cancelled"];

/** Return how long to wait before the next attempt, in ms; `attempt` counts from 0. */
export const backoff = (attempt) => Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);

/**
 * Follow a run's log until its final event or until `close` is called.
 *
 * `url(after)` is where to connect; `onEvent(event)` gets text frames, `onFrame(buffer)` binary ones and
 * returns the id of what it read; `onStatus(status, waitMs)` is told connecting, live, waiting, finished,
 * unknown or refused.
 */
export function follow(url, {onEvent, onFrame, onStatus}, {Socket = WebSocket, later = setTimeout} = {}) {
  const cursor = {after: null, attempt: 0, finished: false, closed: false, socket: null};

  function connect() {
    if (cursor.closed) return;
    onStatus("connecting");
    cursor.socket = new Socket(url(cursor.after));
    cursor.socket.binaryType = "arraybuffer";
    cursor.socket.onopen = () => onStatus("live");
    cursor.socket.onmessage = ({data}) => receive(data);
    cursor.socket.onclose = ({code}) => closed(code);
  }

  function receive(data) {
    cursor.attempt = 0;
    if (typeof data !== "string") {
      cursor.after = onFrame(data) ?? cursor.after;
      return;
    }
    const event = JSON.parse(data);
    cursor.after = event.id ?? cursor.after;
    cursor.finished ||= FINAL.includes(event.type);
    onEvent(event);
  }

  function closed(code) {
    if (cursor.closed) return;
    if (cursor.finished) onStatus("finished");
    else if (code === UNKNOWN_RUN) onStatus("unknown");
    else if (code === REFUSED) onStatus("refused");
    else {
      const waitMs = code === TOO_SLOW ? 0 : backoff(cursor.attempt++);
      onStatus("waiting", waitMs);
      later(connect, waitMs);
    }
  }

  connect();
  return {
    close() {
      cursor.closed = true;
      cursor.socket?.close();
    }
  };
}
