import assert from "node:assert/strict";
import {afterEach, test} from "node:test";
import {Problem, plan, Unreachable} from "../../frontend/api.js";

const {fetch} = globalThis;
afterEach(() => { globalThis.fetch = fetch; });

/** Let every request be answered by a body that ends with an error. */
function breakOff(error, status = 200) {
  const body = new ReadableStream({start: (stream) => stream.error(error)});
  globalThis.fetch = async () => new Response(body, {status});
}

test("a question that is withdrawn while its answer arrives has no answer", async () => {
  breakOff(new DOMException("withdrawn", "AbortError"));
  await assert.rejects(plan({}), {name: "AbortError"});
});

test("an answer that is broken off is not taken for an empty one", async () => {
  breakOff(new TypeError("network error"));
  await assert.rejects(plan({}), Unreachable);
  breakOff(new TypeError("network error"), 500);
  await assert.rejects(plan({}), Problem);
});
