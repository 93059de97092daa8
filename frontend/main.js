// The page, from its parts: what is asked first, the views in the order in which they are tried, and the form.

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
