import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {depthOf, legendName} from "../../frontend/panels/legend.js";
import {decision} from "../../frontend/protocol/decision.js";
import {labelColors} from "../../frontend/scenes/run.js";
import {
  added, carried, groupAt, groupsInside, halves, labelsOf, relabelled, removed, renamed, rowsOf, split, toggled
} from "../../frontend/protocol/groups.js";

const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
const TREE = [
  {name: "tops", groups: [{name: "shirts", labels: ["a", "b", "c"]}, {name: "coats", labels: ["d"]}]},
  {name: "bag", labels: ["e"]}
];
const frozen = structuredClone(TREE);

test("a label is in one group at most", () => {
  const groups = halves(["a", "b", "c"]);
  assert.deepEqual(groups.map(({labels}) => labels), [["a", "b"], ["c"]]);
  assert.deepEqual(toggled(groups, [1], "a").map(({labels}) => labels), [["b"], ["c", "a"]]);
  assert.deepEqual(toggled(groups, [0], "a").map(({labels}) => labels), [["b"], ["c"]]);
});

test("a label moves from one branch of a tree into another, and leaves by a second press", () => {
  const moved = toggled(TREE, [0, 1], "e");
  assert.deepEqual(moved.map(labelsOf), [["a", "b", "c", "d", "e"], []]);
  assert.deepEqual(labelsOf(toggled(moved, [0, 1], "e")[0]), ["a", "b", "c", "d"]);
  assert.deepEqual(TREE, frozen);
});

test("groups follow labels that are renamed, and keep those that are still there", () => {
  const groups = [{name: "a", labels: ["a"]}, {name: "rest", groups: [{name: "x", labels: ["b"]}, {name: "y", labels: ["c"]}]}];
  assert.equal(carried(groups, ["a", "b", "c"], ["c", "a", "b", "d"]), groups);
  const [first, rest] = carried(groups, ["a", "b", "c"], ["a red chair", "b", "d"]);
  assert.deepEqual(first, {name: "a red chair", labels: ["a red chair"]});
  assert.deepEqual(rest.groups, [{name: "x", labels: ["b"]}, {name: "y", labels: ["d"]}]);
  assert.equal(carried(groups, ["a", "b", "c"], ["a", "b"]), null);
});

test("a tree is an indented list of its groups", () => {
  assert.deepEqual(rowsOf(TREE).map(({path, group}) => [path.join("."), group.name]), [
    ["0", "tops"], ["0.0", "shirts"], ["0.1", "coats"], ["1", "bag"]
  ]);
  assert.equal(groupAt(TREE, [0, 1]).name, "coats");
  assert.equal(groupAt(TREE, [1, 0]), undefined);
});

test("splitting a group and removing one of its halves keeps every other label", () => {
  const halved = split(TREE, [0, 0]);
  assert.deepEqual(groupAt(halved, [0, 0]).groups, [{name: "first half", labels: ["a", "b"]}, {name: "c", labels: ["c"]}]);
  assert.deepEqual(labelsOf(halved[0]), labelsOf(TREE[0]));
  assert.deepEqual(removed(halved, [0, 0, 1])[0].groups[0], {name: "shirts", labels: ["a", "b"]});
});

test("no group is left with a single group inside", () => {
  assert.deepEqual(removed(TREE, [0, 1])[0], {name: "tops", labels: ["a", "b", "c"]});
  const halved = split(TREE, [0, 0]);
  assert.deepEqual(removed(halved, [0, 1])[0], {name: "tops", groups: groupAt(halved, [0, 0]).groups});
  assert.deepEqual(removed(TREE, [0]), [TREE[1]]);
});

test("groups are added where one asks, under names that are free", () => {
  assert.deepEqual(added(TREE, [])[2], {name: "group 3", labels: []});
  assert.equal(added(added(TREE, [0]), [0])[0].groups[3].name, "group 4");
  assert.equal(added([{name: "group 2", labels: []}], [])[1].name, "group 3");
  assert.deepEqual(renamed(TREE, [0, 0], "x")[0].groups[0].name, "x");
  assert.deepEqual(relabelled(TREE, [1], ["f"])[1].labels, ["f"]);
});

test("labels have the colour of their group in the decision that is shown", () => {
  const run = {labels: ["a", "b", "c", "d", "e"], spec: {partitions: {kinds: TREE}}};
  const root = labelColors(figure, run, {partition: "kinds", path: []});
  assert.equal(new Set(root.slice(0, 4)).size, 1);
  assert.notEqual(root[4], root[0]);
  const tops = labelColors(figure, run, {partition: "kinds", path: ["tops"]});
  assert.deepEqual(groupsInside(TREE, ["tops"]), TREE[0].groups);
  assert.deepEqual([tops[0] === tops[2], tops[0] === tops[3], tops[4]], [true, false, figure.outside]);
});

test("curves of a tree are indented by the decisions they lie inside of, others are not", () => {
  const curves = [
    {partition: "kinds", path: []}, {partition: "kinds", path: ["tops"]}, {partition: "kinds", path: ["tops", "shirts"]},
    {partition: "kinds", path: ["shoes"]}, {partition: "rest", path: ["a"]}, {partition: "rest", path: ["b"]}
  ];
  assert.deepEqual(curves.map((curve) => depthOf(curve, curves)), [0, 1, 2, 1, 0, 0]);
});

test("a class against the rest is called so beside another decision, alone by its name", () => {
  const rest = {partition: "rest", path: ["Dress"], title: "Dress against the rest"};
  const classes = {partition: "classes", path: [], title: "all classes"};
  assert.equal(legendName(rest, [rest]), "Dress");
  assert.deepEqual([classes, rest].map((curve) => legendName(curve, [classes, rest])), ["all classes", "Dress against the rest"]);
});

test("a run of several decisions names each once", () => {
  const curves = [{key: "kinds", title: "tops / bag"}, {key: "kinds.tops", title: "tops: shirts / coats"}];
  const run = {labels: ["a", "b"], curves, spec: {partitions: {classes: null, kinds: TREE}}};
  assert.equal(decision(run), "all 2 classes; tops / bag");
});
