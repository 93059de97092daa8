// The page, from its parts: what is asked first, the views in the order in which they are tried, and the form.
//
// Rooms, each importing only from rooms below it (tests/test_page/rooms.test.mjs holds the arrows):
//   main.js
//   views      one per address: joins a session, a scene and panels; page.js picks the view and asks for drawings
//   sessions   what is watched on the server: a run, a sweep, a comparison, the lists; no elements
//   form       the form of a new run; panels  everything else that touches elements
//   scenes     from a document and the viewer's choices to what plots need; pure
//   plots      from a scene to traces and layouts of Plotly; pure
//   events     the log of a run, followed and folded
//   protocol   what goes over the wire and into the address, quantities, words, help; pure
//   lib        elements, numbers as text, colours, polling; api.js  every address of the server

import * as api from "./api.js";
import {Form} from "./form/form.js";
import {Bench} from "./views/bench.js";
import {Charts} from "./views/charts.js";
import {ComparisonView} from "./views/comparison.js";
import {wireDialogs} from "./views/dialogs.js";
import {Page} from "./views/page.js";
import {RunView} from "./views/run.js";
import {SweepView} from "./views/sweep.js";

const [figure, schema] = await Promise.all([api.figure(), api.specSchema()]);
const page = new Page({figure, schema});
const charts = new Charts(page);
const bench = new Bench(page);
const views = [new ComparisonView(page), new SweepView(page, charts), bench, new RunView(page, charts)];
const form = new Form({
  schema,
  figure,
  plan: api.plan,
  run: (spec) => page.start(spec),
  onPlan: (planned) => {
    page.planned = planned;
    bench.presets.formChanged();
    page.drawSoon();
  }
});

page.open(views, form);
wireDialogs(page, bench);
