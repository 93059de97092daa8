// The dialogs: ready studies, which fill the form or open on the theory bench, and how to cite.

import * as api from "../api.js";
import {byId} from "../lib/dom.js";
import {wireCite} from "../panels/cite.js";
import {Ready} from "../panels/ready.js";

/** Let both dialogs be opened. */
export function wireDialogs(page, bench) {
  wireCite();
  const leave = (choice) => page.set({runId: null, baseId: null, sweepId: null, ...choice});
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
