// What a finished run says whose steps leave too much: "more steps needed", and the button that runs it with twice as many.

import {byId, setText} from "../lib/dom.js";

/** Show why more steps are needed, or nothing; `steps` is null where the run cannot have twice as many. */
export function showMoreSteps(reason, steps) {
  byId("more-steps").hidden = !reason;
  setText(byId("more-steps-reason"), reason);
  byId("more-steps-run").hidden = steps === null;
  setText(byId("more-steps-run"), `Run with ${steps} steps`);
}
