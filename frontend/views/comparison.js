// The view of a comparison: a guided run beside its unguided twin.

import {comparisonUrl} from "../api.js";
import {byId} from "../lib/dom.js";
import {Comparison} from "../panels/comparison.js";
import {ComparisonSession} from "../sessions/comparison.js";

/** The view of two runs whose address is a comparison. */
export class ComparisonView {
  constructor(page) {
    Object.assign(this, {page, session: null, kind: "comparison", hasScene: true, isLoaded: false, speciates: false});
    this.panel = new Comparison(byId("comparison"), {urlOf: comparisonUrl, onChange: page.drawSoon});
  }

  shows({runId, baseId}) {
    return runId !== null && baseId !== null;
  }

  get title() {
    return "What guidance changes";
  }

  enter({runId, baseId}) {
    this.session = new ComparisonSession([runId, baseId], {
      onChange: this.page.drawSoon,
      onError: (error, again) => this.page.failed("run", error, again)
    });
    this.session.open();
  }

  leave() {
    this.session.close();
  }

  draw() {
    const {figure, theme, state} = this.page;
    this.panel.draw(this.session, {figure, theme, state});
  }

  drawCursor() {}
}
