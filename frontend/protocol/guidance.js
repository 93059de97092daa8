// Guidance: in words, and from what is typed. Pure.

import {number} from "../lib/format.js";
import {typed} from "./spec.js";

export const NO_GUIDANCE = "none";

/** Return what guides the paths of a run: "guided ×3 on σ 0.4 to 5", "" where nothing does. */
export function guidanceText(guidance) {
  if (!guidance) return "";
  const {scale, interval, method, decoder} = guidance;
  const where = interval ? ` on σ ${number(interval[1])} to ${number(interval[0])}` : "";
  const how = method === "feedback" ? " by feedback" : "";
  const read = decoder === "guided" ? ", scored with the guided kernels" : "";
  return `guided${how} ×${number(scale)}${where}${read}`;
}

/** Return the guidance of a spec from what is typed; a side of the interval left out is the end of the grid. */
export function guidanceOf({method, scale, low, high, decoder, maxScale}, sigmaMax) {
  if (method === NO_GUIDANCE) return undefined;
  const ends = [typed(low), typed(high)];
  const whole = ends.every((end) => end === undefined);
  const guidance = {
    scale: typed(scale) ?? null,
    interval: whole ? null : [ends[0] ?? 0, ends[1] ?? typed(sigmaMax) ?? null],
    method,
    decoder
  };
  const largest = method === "feedback" ? typed(maxScale) : undefined;
  return largest === undefined ? guidance : {...guidance, max_scale: largest};
}
