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
      onHide: (keys) => page.set({hidden: new Set(keys)}),
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
