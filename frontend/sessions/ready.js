// Wiring of the ready studies: from the dialog to the form or the theory bench.

import * as api from "../api.js";
import {byId} from "../lib/dom.js";
import {Ready} from "../panels/ready.js";

/** Let a ready study fill the form, or open on the bench. */
export function wireReady({store, form, bench}) {
  const leave = (choice) => store.set({runId: null, baseId: null, sweepId: null, ...choice});
  return new Ready(byId("ready"), {
    ask: api.presets,
    plan: api.plan,
    onRun: (spec, axis) => {
      leave({bench: false, axis: axis ?? store.get().axis});
      form.fill(spec);
      byId("run").focus();
    },
    onSweep: (sweep) => {
      leave({bench: true});
      bench.presets.take(sweep);
      byId("run-sweep").focus();
    }
  });
}
