// What the page says before there is anything to show.

import {byId, setText} from "../lib/dom.js";
import {isFinal} from "../protocol/states.js";

/** With more classes than this, pictures come without their posterior. */
const MOST_BELIEFS = 64;
const TOO_MANY = `Posteriors are shown for up to ${MOST_BELIEFS} classes.`;

/** Invite to the first run. */
export function showInvitation() {
  setText(byId("run-name"), "When is the decision made?");
  setText(byId("run-about"), "Press Run. The curves appear as the model denoises, and refine while you watch.");
  setText(byId("run-state"), "");
  setText(byId("run-progress"), "");
  byId("progress-bar").style.width = "0";
}

/** Return how many pictures there are where more were asked for: those of the first batch. */
function fewerText({run, sprites}) {
  const {samples} = sprites.header(sprites.steps()[0]);
  const asked = run.spec.previews?.samples;
  const isFewer = samples[0].pair === undefined && samples.length < Math.min(asked, run.spec.trajectories);
  return isFewer ? `${samples.length} of ${asked} pictures: those of the first batch.` : "";
}

/** Return why there are no pictures of a session, or that of none; empty where there are some. */
export function sampleHint(session) {
  if (!session?.view) return "Pictures of the first samples appear here.";
  if (session.sprites.steps().length) return session.view.labels.length > MOST_BELIEFS ? TOO_MANY : fewerText(session);
  if (session.run.spec.previews?.samples === 0) return "This run has no pictures: 0 were requested.";
  return isFinal(session.view.state) ? "This run has no pictures." : "Waiting for the first pictures.";
}
