import assert from "node:assert/strict";
import {test} from "node:test";
import {unpack} from "../../frontend/events/frames.js";
import {backoff, Stream} from "../../frontend/events/stream.js";

/** A WebSocket that does what the test says, and a clock that runs what is due at once. */
function bench() {
  const [sockets, statuses, events, delays] = [[], [], [], []];
  class Socket {
    constructor(url) {
      this.url = url;
      sockets.push(this);
    }
    close() {}
  }
  const later = (run, ms) => { delays.push(ms); run(); };
  const listeners = {
    onEvent: (event) => events.push(event),
    onFrame: (buffer) => unpack(buffer).header.id,
    onStatus: (status) => statuses.push(status)
  };
  const stream = new Stream((after) => `ws://here?after=${after}`, listeners, {Socket, later});
  const text = (event) => sockets.at(-1).onmessage({data: JSON.stringify(event)});
  return {sockets, statuses, events, delays, stream, text, drop: (code) => sockets.at(-1).onclose({code})};
}

function frame(header) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const buffer = new ArrayBuffer(4 + text.length + 2);
  new DataView(buffer).setUint32(0, text.length, true);
  new Uint8Array(buffer, 4).set(text);
  return buffer;
}

test("after a break it joins again behind the last event or picture", () => {
  const {sockets, text, drop} = bench();
  text({id: "1-0", type: "queued"});
  drop(1006);
  assert.equal(sockets[1].url, "ws://here?after=1-0");
  sockets[1].onmessage({data: frame({id: "2-0"})});
  drop(1006);
  assert.equal(sockets[2].url, "ws://here?after=2-0");
});

test("it waits longer after every failure and not after being too slow", () => {
  const {delays, drop} = bench();
  [1006, 1006, 4408, 1006].forEach(drop);
  assert.deepEqual(delays, [500, 1000, 0, 2000]);
  assert.equal(backoff(20), 8000);
});

test("an event makes the next failure the first again", () => {
  const {delays, drop, text} = bench();
  drop(1006);
  drop(1006);
  text({id: "1-0", type: "queued"});
  drop(1006);
  assert.deepEqual(delays, [500, 1000, 500]);
});

test("after the final event it stays away", () => {
  const {sockets, statuses, text, drop} = bench();
  text({id: "9-0", type: "done"});
  drop(1000);
  assert.equal(sockets.length, 1);
  assert.equal(statuses.at(-1), "finished");
});

test("an unknown run and a refusal are not tried again", () => {
  for (const [code, status] of [[4404, "unknown"], [4403, "refused"]]) {
    const {sockets, statuses, drop} = bench();
    drop(code);
    assert.equal(sockets.length, 1);
    assert.equal(statuses.at(-1), status);
  }
});

test("once closed it does not come back", () => {
  const {sockets, stream, drop} = bench();
  stream.close();
  drop(1006);
  assert.equal(sockets.length, 1);
});

test("a frame that is cut short is refused", () => {
  assert.throws(() => unpack(new ArrayBuffer(2)), RangeError);
  assert.throws(() => unpack(frame({id: "1-0"}).slice(0, 6)), RangeError);
});

test("a frame is header and body", () => {
  const {header, body} = unpack(frame({step: 3}));
  assert.equal(header.step, 3);
  assert.equal(body.length, 2);
});
