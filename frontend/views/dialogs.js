// What explains and what is offered: help marks, presets that fill the form or open on the theory bench, how to cite.

import * as api from "../api.js";
import {byId} from "../lib/dom.js";
import {placeHelpMarks} from "../lib/help.js";
import {wireCite} from "../panels/cite.js";
import {Ready} from "../panels/ready.js";
import {FRESH} from "../protocol/address.js";
import {HANDBOOK, SUBJECTS} from "../protocol/guide.js";

/** Place the help marks and let the dialogs be opened. */
export function wireDialogs(page, bench) {
  placeHelpMarks(document, SUBJECTS);
  byId("handbook").href = HANDBOOK;
  wireCite();
  const leave = (choice) => page.set({...FRESH, runId: null, baseId: null, sweepId: null, ...choice});
  new Ready(byId("ready"), {
    ask: api.presets,
    plan: api.plan,
    onRun: (spec, axis) => {
      leave({bench: false, axis: axis ?? page.state.axis});
      page.form.fill(spec);
      byId("run").focus();
    },
    onSweep: (sweep) => {
      leave({bench: true});
      bench.presets.take(sweep);
      byId("run-sweep").focus();
    }
  });
}
