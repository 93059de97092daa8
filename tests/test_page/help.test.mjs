import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {pruningText} from "../../frontend/panels/pruning.js";
import {settingGuide, SUBJECTS} from "../../frontend/protocol/guide.js";
import {axisTitle, inWords, QUANTITIES} from "../../frontend/protocol/quantities.js";
import {helpAt} from "../../frontend/protocol/schema.js";

const SCHEMA = {
  properties: {
    trajectories: {type: "integer", minimum: 2, maximum: 1000000, default: 256, description: "Paths that are measured"},
    target_se_bits: {anyOf: [{type: "number", exclusiveMinimum: 0}, {type: "null"}], default: null, description: "Stop early.", unit: "bits"},
    schedule: {$ref: "#/$defs/Schedule"},
    guidance: {anyOf: [{$ref: "#/$defs/Guidance"}, {type: "null"}], default: null},
    previews: {allOf: [{$ref: "#/$defs/Previews"}], description: "Pictures."},
    prior: {enum: ["model", "uniform"], default: "model"}
  },
  $defs: {
    Schedule: {description: "A class.\n\nAttributes: many.", properties: {steps: {type: "integer", minimum: 2, description: "Noise\n levels"}}},
    Guidance: {properties: {interval: {anyOf: [{type: "array", items: {minimum: 0, description: "An end."}}, {type: "null"}], description: "Levels."}}},
    Previews: {properties: {samples: {type: "integer", default: 16, description: "How many."}}}
  }
};

test("the help of a setting is its description, unit, default and range, through every reference", () => {
  assert.equal(helpAt(SCHEMA, "trajectories"), "Paths that are measured. Default: 256. Range: at least 2, at most 1000000.");
  assert.equal(helpAt(SCHEMA, "target_se_bits"), "Stop early. Unit: bits. Range: above 0.");
  assert.equal(helpAt(SCHEMA, "schedule.steps"), "Noise levels. Range: at least 2.");
  assert.equal(helpAt(SCHEMA, "guidance.interval"), "Levels.");
  assert.equal(helpAt(SCHEMA, "guidance.interval.1"), "An end. Range: at least 0.");
  assert.equal(helpAt(SCHEMA, "previews"), "Pictures.");
  assert.equal(helpAt(SCHEMA, "previews.samples"), "How many. Default: 16.");
});

test("a setting that the schema does not describe has no help", () => {
  for (const path of ["prior", "schedule", "guidance", "guidance.scale", "nothing.at.all"]) assert.equal(helpAt(SCHEMA, path), "");
});

test("every help mark of the page leads to a paragraph of the handbook", () => {
  const page = readFileSync(new URL("../../frontend/index.html", import.meta.url), "utf8");
  const subjects = [...page.matchAll(/data-help="([^"]+)"/g)].map(([, subject]) => subject);
  assert.ok(subjects.length > 10);
  for (const subject of subjects) assert.match(SUBJECTS[subject] ?? "", /^\/guide\/\w+#[\w-]+$/, subject);
  for (const address of Object.values(SUBJECTS)) {
    const [, name, anchor] = /^\/guide\/(\w+)#(.+)$/.exec(address);
    const text = readFileSync(new URL(`../../frontend/guide/${name}.md`, import.meta.url), "utf8");
    const headings = [...text.matchAll(/^##+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase().replaceAll(" ", "-"));
    assert.ok(headings.includes(anchor), `${name}.md has no heading ${anchor}`);
  }
  assert.equal(settingGuide("schedule.sigma_max"), "/guide/first-run#settings-schedule-sigma_max");
});

test("axes and read-outs take titles, symbols and rates from one table of quantities", () => {
  const figure = JSON.parse(readFileSync(new URL("../../frontend/figure.json", import.meta.url)));
  const per = {unit: "nats", per: "t"};
  for (const {name, is_rate: isRate} of QUANTITIES) {
    assert.equal(inWords(name, "1", per).includes("per t"), isRate);
    assert.equal(axisTitle(name, per).includes("per t"), isRate);
  }
  for (const {quantity, change, layout} of Object.values(figure).filter((chart) => chart.quantity)) {
    assert.equal(layout.yaxis.title.text, axisTitle(quantity, {unit: "{unit}", per: "{per}"}, change)); // as Python draws it
  }
});

test("a pruned run says how much was dropped and how far that may move H", () => {
  const pruning = {dropped: [0, 0.002, 0.021], entropy_bound: [0, 0.02, 0.22]};
  assert.equal(
    pruningText({pruning}, [4, 2, 1], "bits"),
    "Pruning dropped up to 2.1 % of the probability (σ = 1); error of H at most 0.22 bits."
  );
  assert.match(pruningText({pruning, combined: true}, [4, 2, 1], "bits"), /at most 0\.22 bits, in the band\.$/);
  assert.match(pruningText({pruning}, [4, 2, 1], "nats"), /at most 0\.152 nats/);
  assert.equal(pruningText({pruning: {dropped: [0], entropy_bound: [0]}}, [4], "bits"), "Pruning dropped no probability.");
  assert.equal(pruningText({pruning: null}, [4], "bits"), "");
});
