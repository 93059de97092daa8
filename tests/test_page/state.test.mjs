import assert from "node:assert/strict";
import {test} from "node:test";
import {eventsUrl} from "../../frontend/api.js";
import {createDrawLoop} from "../../frontend/lib/draw_loop.js";
import {createPoll} from "../../frontend/lib/poll.js";
import {createStore} from "../../frontend/lib/store.js";
import {formatHash, FRESH, leadingTo, parseHash, shownAxis} from "../../frontend/protocol/address.js";
import {bindAddress} from "../../frontend/views/address_bar.js";

test("the address holds the run and what differs from the defaults", () => {
  const state = parseHash("#/runs/abc?axis=vp_time&unit=nats");
  const place = {runId: "abc", baseId: null, sweepId: null, bench: false};
  const view = {axis: "vp_time", unit: "nats", range: "all", cross: "no", parts: "no", view: "curves"};
  assert.deepEqual(state, {...place, ...view, ...FRESH});
  assert.equal(formatHash(state), "#/runs/abc?axis=vp_time&unit=nats");
});

test("an address holds what is pointed at, a link to another run does not", () => {
  const hash = "#/runs/abc?unit=nats&step=7&focus=rest.bag&hidden=kinds%2Crest.coat&followed=3%2C0";
  const state = parseHash(hash);
  assert.deepEqual([state.step, state.focus, [...state.hidden], state.followed], [7, "rest.bag", ["kinds", "rest.coat"], [3, 0]]);
  assert.equal(formatHash(state), hash);
  assert.equal(leadingTo(state, {runId: "d"}), "#/runs/d?unit=nats");
  assert.deepEqual({...parseHash("#/runs/abc?step=x&followed=a"), ...FRESH}, parseHash("#/runs/abc?step=x&followed=a"));
  const many = {...state, hidden: new Set(Array.from({length: 100}, (_, i) => `c${i}`))};
  assert.doesNotMatch(formatHash(many), /hidden/);
});

test("an address with a choice that is no more opens as any other", () => {
  assert.deepEqual(parseHash("#/runs/abc?refined=yes&unit=nats"), parseHash("#/runs/abc?unit=nats"));
});

test("a sweep and the theory bench have addresses of their own", () => {
  const state = parseHash("#/sweeps/abc?axis=scaled_time");
  assert.deepEqual([state.runId, state.sweepId, state.bench, state.axis], [null, "abc", false, "scaled_time"]);
  assert.equal(formatHash(state), "#/sweeps/abc?axis=scaled_time");
  assert.equal(formatHash(parseHash("#/sweeps")), "#/sweeps");
  assert.equal(formatHash({...state, runId: "r"}), "#/runs/r?axis=scaled_time");
});

test("times in units of speciation are shown only where something speciates", () => {
  assert.equal(shownAxis({axis: "scaled_time"}, false), "vp_time");
  assert.equal(shownAxis({axis: "scaled_time"}, true), "scaled_time");
  assert.equal(shownAxis({axis: "sigma"}, false), "sigma");
});

test("the address of a comparison holds both runs", () => {
  const state = parseHash("#/compare/abc/d%20e?unit=nats");
  assert.deepEqual([state.runId, state.baseId, state.unit], ["abc", "d e", "nats"]);
  assert.equal(formatHash(state), "#/compare/abc/d%20e?unit=nats");
  assert.equal(formatHash({...state, baseId: null}), "#/runs/abc?unit=nats");
});

test("rubbish in the address is the start page with its defaults", () => {
  for (const hash of ["", "#", "#/nowhere", "#/runs/", "#/runs/a/b"]) assert.equal(parseHash(hash).runId, null);
  assert.equal(parseHash("#/?axis=lightyears").axis, "sigma");
  assert.equal(parseHash("#/runs/%").runId, "%");
});

test("a change of the run is a step in the history, a change of the view is not", () => {
  const made = [];
  const window = {
    location: {hash: "#/"},
    addEventListener() {},
    history: {pushState: (...parts) => made.push(["push", parts[2]]), replaceState: (...parts) => made.push(["replace", parts[2]])}
  };
  const store = createStore(parseHash("#/"));
  bindAddress(store, window);
  store.set({runId: "abc"});
  store.set({unit: "nats"});
  store.set({step: 3});
  assert.deepEqual(made, [["push", "#/runs/abc"], ["replace", "#/runs/abc?unit=nats"]]);
});

test("events are followed on the page's own host", () => {
  const location = {protocol: "https:", host: "lab:8000"};
  assert.equal(eventsUrl("a b", "3-0", location), "wss://lab:8000/api/runs/a%20b/events?after=3-0");
  assert.equal(eventsUrl("a", null, {...location, protocol: "http:"}), "ws://lab:8000/api/runs/a/events");
});

test("an answer that comes after a newer one is dropped", async () => {
  const [answers, taken] = [[], []];
  const ask = () => new Promise((resolve) => answers.push(resolve));
  const page = {hidden: false, addEventListener() {}};
  const askNow = createPoll(ask, (answer) => taken.push(answer), 10, {page, later() {}, stop() {}});
  const both = [askNow(), askNow()];
  answers[1]("new");
  answers[0]("old");
  await Promise.all(both);
  assert.deepEqual(taken, ["new"]);
});

test("a question that fails is asked again, seldom while nobody looks", async () => {
  const [taken, waits] = [[], []];
  const fail = async () => { throw new Error("gone"); };
  const page = {hidden: true, addEventListener() {}};
  await createPoll(fail, (answer) => taken.push(answer), 10, {page, later: (_, ms) => waits.push(ms), stop() {}})();
  assert.equal(taken[0].error.message, "gone");
  assert.deepEqual(waits, [60]);
});

/** A draw loop on a hand-driven clock; a draw takes `cost` ms. */
function loop(perSecond, cost) {
  const frames = [];
  const bench = {draws: 0, now: 0};
  const draw = () => { bench.draws += 1; bench.now += cost; };
  bench.request = createDrawLoop(draw, perSecond, {frame: (tick) => frames.push(tick), clock: {now: () => bench.now}});
  bench.frame = (now) => { bench.now = now; frames.splice(0).forEach((tick) => tick(now)); };
  return bench;
}

test("many requests in a frame are one draw", () => {
  const bench = loop(15, 0);
  for (let i = 0; i < 100; i++) bench.request();
  bench.frame(0);
  assert.equal(bench.draws, 1);
});

test("draws keep their distance and the last request is not lost", () => {
  const bench = loop(15, 0);
  for (let now = 0; now < 1000; now += 16) {
    bench.request();
    bench.frame(now);
  }
  assert.ok(bench.draws <= 15 && bench.draws >= 12, `${bench.draws} draws`);
  bench.frame(2000);
  const before = bench.draws;
  bench.request();
  bench.frame(2100);
  assert.equal(bench.draws, before + 1);
});

test("slow draws come less often", () => {
  const bench = loop(15, 100);
  for (let now = 0; now < 1000; now += 16) {
    bench.request();
    bench.frame(now);
  }
  assert.ok(bench.draws <= 4, `${bench.draws} draws`);
});
