// The charts with their legend and their checks: one set, drawn by whichever view is shown.

import {byId} from "../lib/dom.js";
import {ChartKey} from "../panels/chart_key.js";
import {Checks} from "../panels/checks.js";
import {Legend} from "../panels/legend.js";
import {Scope} from "../panels/scope.js";

/** The panels that a run and a sweep have in common. */
export class Charts {
  constructor(page) {
    this.scope = new Scope({
      onStep: (step) => page.set({step}),
      onLeave: () => page.view.pointerLeft?.()
    });
    this.legend = new Legend(byId("curves"), {
      onToggle: (key) => page.set({hidden: toggled(page.state.hidden, key)}),
      onAll: (hidden) => page.set({hidden: new Set(hidden)}),
      onFocus: (focus) => page.set({focus})
    });
    this.key = new ChartKey(byId("chart-key"));
    this.checks = new Checks(byId("checks"));
  }

  /** Take away what only another run or sweep would bring. */
  clear() {
    this.checks.show([], {});
  }
}

function toggled(hidden, key) {
  const changed = new Set(hidden);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}
