// The noise levels of the plan, offered where one can be chosen.

import {byId, element} from "../lib/dom.js";
import {levelText, nearestLevel} from "../protocol/studies.js";

/** The field of the level to branch at: what is typed becomes the nearest level of the plan. */
export class Levels {
  constructor() {
    this.levels = [];
    const input = byId("branch-sigma");
    input.addEventListener("change", () => {
      input.value = nearestLevel(input.value, this.levels);
      input.dispatchEvent(new Event("input", {bubbles: true}));
    });
  }

  /** Offer the noise levels of a plan; the lowest leaves nothing to sample. */
  offer(sigma) {
    this.levels = sigma.slice(0, -1);
    byId("levels").replaceChildren(...this.levels.map((level) => element("option", {value: levelText(level)})));
  }
}
