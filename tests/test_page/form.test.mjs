import assert from "node:assert/strict";
import {test} from "node:test";
import {groupReason, owner} from "../../frontend/form/fields.js";
import {choicesOf, kindsOf, readValue, shapeOf, shownValue} from "../../frontend/protocol/params.js";
import {
  kindOf, labelsText, named, pairAmong, pairOf, pointsText, preferred, specOf, typed, typedLabels, typedList, typedPoints,
  typedTexts, typedWeights, weightsText
} from "../../frontend/protocol/spec.js";

const SCHEMA = {
  $defs: {
    Points: {
      properties: {
        kind: {const: "points"},
        means: {type: "array", items: {type: "array", items: {type: "number"}}, default: [[-8], [4]]},
        std: {type: "number", default: 0.5},
        priors: {anyOf: [{type: "array", items: {type: "number"}}, {type: "null"}], default: null}
      }
    },
    Pair: {properties: {kind: {const: "pair"}, dimension: {type: "integer", default: 64}}}
  },
  oneOf: [{$ref: "#/$defs/Points"}, {$ref: "#/$defs/Pair"}]
};

test("numbers are numbers, nothing is left to the model, the rest goes to the server as it is", () => {
  assert.deepEqual(["32", " 0,5 ", "1e-3", "", "abc"].map(typed), [32, 0.5, 0.001, undefined, "abc"]);
});

test("points are read as they are written", () => {
  assert.deepEqual(typedPoints("-8, -4, 6"), [[-8], [-4], [6]]);
  assert.deepEqual(typedPoints("1, 2; 3, 4"), [[1, 2], [3, 4]]);
  for (const points of [[[-8], [4]], [[1, 2], [3, 4]]]) assert.deepEqual(typedPoints(pointsText(points)), points);
  assert.deepEqual(typedList("0.2, 0.8"), [0.2, 0.8]);
  assert.equal(typedList(" "), undefined);
});

test("labels are named, numbered or given as ranges", () => {
  const labels = ["Bag", "Coat", "5-7", "Shirt", "Sandal"];
  assert.deepEqual(typedLabels("Bag, 3, 0-2", labels), ["Bag", 3, 0, 1, 2]);
  assert.deepEqual(typedLabels("5-7", labels), ["5-7"]);
  assert.equal(labelsText(["Coat", "5-7", "Shirt"], labels), "1-3");
  assert.equal(labelsText(["Bag", "Shirt"], labels), "Bag, Shirt");
  const prompts = ["A chair, wooden", "A cat"];
  assert.deepEqual(typedLabels(labelsText(["A cat", "A chair, wooden"], prompts), prompts), ["A cat", 0]);
});

test("a spec holds what was typed and leaves the rest to the server", () => {
  const spec = specOf({
    model: "m", params: undefined, partitions: {classes: null}, prior: "model",
    fields: {trajectories: "64", seed: "0", "schedule.steps": "", "previews.samples": "0", target_se_bits: ""}
  });
  assert.deepEqual(spec, {
    schema: 1, model: "m", partitions: {classes: null}, prior: "model", schedule: {}, trajectories: 64, seed: 0, previews: {samples: 0}
  });
});

test("pictures are paired as the model has it until one says otherwise", () => {
  const previews = (paired, samples) =>
    specOf({model: "m", partitions: {}, prior: "model", paired, fields: {"previews.samples": samples}}).previews;
  assert.deepEqual(previews("", "16"), {samples: 16});
  assert.deepEqual(previews("true", "16"), {samples: 16, paired: true});
  assert.deepEqual(previews("false", ""), {paired: false});
  assert.equal(previews("", ""), undefined);
});

test("noise levels given one by one stand instead of a rule", () => {
  const fields = {trajectories: "64", "schedule.steps": "12"};
  const spec = specOf({model: "m", partitions: {classes: null}, prior: "model", sigmas: [80, 3, 0.1], fields});
  assert.deepEqual(spec.schedule, {sigmas: [80, 3, 0.1]});
});

test("a partition is shown as the kind of decision it is", () => {
  const presets = [{name: "kinds", title: "kinds", partition: [{name: "x", labels: ["a"]}, {name: "y", labels: ["b", "c"]}]}];
  assert.equal(kindOf("classes", null, presets), "classes");
  assert.equal(kindOf("rest", "each-vs-rest", presets), "rest");
  assert.equal(kindOf("kinds", structuredClone(presets[0].partition), presets), "preset:kinds");
  assert.equal(kindOf("other", presets[0].partition, presets), "groups");
  assert.equal(kindOf("any", pairOf("a", "b"), presets), "pair");
  assert.equal(kindOf("any", [{name: "a", labels: ["b"]}, {name: "b", labels: ["a"]}], presets), "groups");
});

test("decisions of one name get names of their own", () => {
  assert.deepEqual(named([["rest", "each-vs-rest"], ["pair", 1], ["pair", 2], ["pair", 3]]), {
    rest: "each-vs-rest", pair: 1, "pair-2": 2, "pair-3": 3
  });
});

test("weights are read as they are written", () => {
  const weights = {"T-shirt/top": 2, "(1, 2)": 0.5, "Ankle boot": 1};
  assert.deepEqual(typedWeights(weightsText(Object.entries(weights))), weights);
  assert.deepEqual(typedWeights("much Bag\n\n 1,5  Coat "), {Bag: "much", Coat: 1.5});
});

test("fields of parameters come from the schema", () => {
  const [points, pair] = kindsOf(SCHEMA);
  assert.deepEqual([points.kind, pair.kind], ["points", "pair"]);
  const {means, std, priors} = points.properties;
  assert.deepEqual([means, std, priors].map(shapeOf), ["points", "number", "list"]);
  assert.deepEqual([means, std, priors].map((property) => shownValue(property)), ["-8, 4", "0.5", ""]);
  assert.deepEqual(kindsOf(null), []);
});

test("a schema of a user's own model becomes fields: numbers, texts, choices, yes or no, and JSON for the rest", () => {
  const schema = {
    properties: {
      distance: {type: "number", default: 4}, layers: {type: "integer", default: 3}, path: {type: "string", default: "a/b"},
      mode: {$ref: "#/$defs/Mode", default: "fast"}, exact: {type: "boolean", default: true},
      scales: {type: "array", items: {type: "number"}, default: [1, 2]}, extra: {type: "object", default: {a: 1}},
      limit: {anyOf: [{enum: ["low", "high"]}, {type: "null"}], default: null}
    },
    $defs: {Mode: {type: "string", enum: ["fast", "slow"]}}
  };
  const [{kind, properties}] = kindsOf(schema);
  const shapes = Object.values(properties).map((property) => shapeOf(property, schema));
  assert.deepEqual([kind, ...shapes], [null, "number", "number", "text", "choice", "choice", "list", "json", "choice"]);
  assert.deepEqual(choicesOf(properties.mode, schema), ["fast", "slow"]);
  assert.deepEqual([choicesOf(properties.exact), choicesOf(properties.limit)], [[true, false], [null, "low", "high"]]);
  for (const [name, property] of Object.entries(properties)) { // what is shown is read as what it stands for
    const value = readValue(shapeOf(property, schema), shownValue(property, undefined, schema));
    assert.deepEqual(value ?? null, property.default, name);
  }
  assert.equal(readValue("json", "{a"), "{a"); // the server says what is off
  assert.deepEqual(kindsOf({type: "object"}), [{kind: null, properties: {}}]);
});

test("prompts are typed one a line", () => {
  const prompts = {type: "array", items: {type: "string"}, default: ["A chair", "A red chair"]};
  const [{properties}] = kindsOf({type: "object", properties: {prompts}});
  assert.equal(shapeOf(properties.prompts), "texts");
  assert.equal(shownValue(properties.prompts), "A chair\nA red chair");
  assert.deepEqual(typedTexts(" A chair, red \n\nA cat\n"), ["A chair, red", "A cat"]);
  assert.deepEqual(typedTexts(" "), []); // not undefined: the server says that prompts are missing
});

test("a pair follows a prompt that is renamed, and begins anew where it cannot", () => {
  assert.deepEqual(pairAmong(["a", "b", "c"], ["a", "c"], ["a", "c"]), ["a", "c"]);
  assert.deepEqual(pairAmong(["a", "x", "c"], ["b", "c"], ["a", "b", "c"]), ["x", "c"]);
  assert.deepEqual(pairAmong(["a", "c"], ["b", "c"], ["a", "b", "c"]), ["a", "c"]);
  assert.deepEqual(pairAmong(["a", "b"], [], []), ["a", "b"]);
});

test("an error belongs to the field with the longest fitting name", () => {
  const names = ["params", "params.means", "schedule", "schedule.steps", "partitions"];
  assert.equal(owner(names, "params.means.0"), "params.means");
  assert.equal(owner(names, "schedule.sigma_min"), "schedule");
  assert.equal(owner(names, "partitions.groups.1.labels"), "partitions");
  assert.equal(owner(names, "params_x"), null);
});

test("a group without a label is said in words of the form, every other reason as the server says it", () => {
  const empty = "must have at least 1 item(s), has 0";
  assert.equal(groupReason("partitions.g.1.labels", empty), "each group needs a label");
  for (const [field, reason] of [["partitions.g", empty], ["trajectories", "must be >= 2"]]) assert.equal(groupReason(field, reason), reason);
});

test("what follows from the trajectories is said beside them", () => {
  assert.equal(owner(["trajectories", "seed"], "batch_sizes.largest"), "trajectories");
});

test("a newcomer is offered a model of classes that a worker has", () => {
  const mixture = {name: "mixture", available: true, label_kind: "classes", labels: []};
  const clothes = {name: "clothes", available: true, label_kind: "classes", labels: ["Bag"]};
  assert.equal(preferred([mixture, clothes]), "clothes");
  assert.equal(preferred([mixture, {...clothes, available: false}]), "mixture");
  assert.equal(preferred([]), "");
});
