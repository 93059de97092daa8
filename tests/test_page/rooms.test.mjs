import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {dirname, join, normalize} from "node:path";
import {test} from "node:test";
import {fileURLToPath} from "node:url";

const ROOT = fileURLToPath(new URL("../../frontend/", import.meta.url));
/** Which rooms a room may import; main.js and api.js are rooms of one file. */
const ALLOWED = {
  "main.js": ["api.js", "form", "views"],
  views: ["api.js", "events", "lib", "panels", "protocol", "scenes", "sessions"],
  sessions: ["api.js", "events", "lib", "protocol"],
  form: ["lib", "protocol"],
  panels: ["lib", "plots", "protocol"],
  scenes: ["lib", "plots", "protocol"],
  plots: ["lib", "protocol"],
  events: ["protocol"],
  protocol: ["lib"],
  lib: [],
  "api.js": []
};
/** What makes or touches an element, or draws on one. */
const DOM = /\bdocument\.(body|title|create|query|get|active|add)|\bwindow\.(add|history|location|scroll)|\b(navigator|byId|element\(|Plotly\.|matchMedia)/;
const URLS = /fetch\(|\/api\/|location\b/;
const MOST_FLOORS = 7;

const files = readdirSync(ROOT, {recursive: true}).filter((path) => path.endsWith(".js")).map(normalize);
const roomOf = (path) => path.split("/")[0];
const codeOf = (path) => readFileSync(join(ROOT, path), "utf8").replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
const importsOf = (path) =>
  [...codeOf(path).matchAll(/(?:from|import)\s+"(\.[^"]+)"/g)].map(([, target]) => normalize(join(dirname(path), target)));

test("every module imports only from the rooms that its own may use", () => {
  for (const path of files) {
    for (const target of importsOf(path)) {
      const [room, other] = [roomOf(path), roomOf(target)];
      assert.ok(files.includes(target), `${path} imports ${target}, which is not there`);
      assert.ok(room === other || ALLOWED[room]?.includes(other), `${path} imports ${target}`);
    }
  }
});

test("no arrow between rooms is allowed that nothing uses", () => {
  const used = new Set(files.flatMap((path) => importsOf(path).map((target) => `${roomOf(path)} ${roomOf(target)}`)));
  for (const [room, others] of Object.entries(ALLOWED)) {
    for (const other of others) assert.ok(used.has(`${room} ${other}`), `${room} never imports ${other}`);
  }
});

test("rooms stand on few floors, and modules import one another in no circle", () => {
  assert.ok(floorsOf(Object.keys(ALLOWED), (room) => ALLOWED[room]) <= MOST_FLOORS);
  floorsOf(files, importsOf);
});

test("what is pure touches no element, and only api.js knows an address of the server", () => {
  const pure = (path) => ["plots", "protocol", "scenes"].includes(roomOf(path));
  for (const path of files) {
    const code = codeOf(path);
    if (pure(path) || path === "api.js") assert.doesNotMatch(code, DOM, path);
    if (roomOf(path) === "plots" || roomOf(path) === "panels" || roomOf(path) === "form") assert.doesNotMatch(code, URLS, path);
  }
});

test("main.js is a table of contents", () => {
  assert.ok(readFileSync(join(ROOT, "main.js"), "utf8").split("\n").length < 80);
});

test("no module has a state of its own that others share, but the counter of ids", () => {
  const shared = files.filter((path) => /^(export )?let /m.test(codeOf(path)));
  assert.deepEqual(shared, ["lib/dom.js"]);
});

/** Return the number of floors that nodes stand on; a circle of arrows is an error. */
function floorsOf(nodes, arrowsOf) {
  const floors = new Map();
  const floorOf = (node, above) => {
    assert.ok(!above.includes(node), `a circle: ${[...above, node].join(" -> ")}`);
    if (!floors.has(node)) floors.set(node, 1 + Math.max(0, ...arrowsOf(node).map((below) => floorOf(below, [...above, node]))));
    return floors.get(node);
  };
  return Math.max(...nodes.map((node) => floorOf(node, [])));
}
