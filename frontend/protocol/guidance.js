// Guidance in words.

import {number} from "../lib/format.js";

/** Return what guides the paths of a run: "guided ×3 on σ 0.4 to 5", "" where nothing does. */
export function guidanceText(guidance) {
  if (!guidance) return "";
  const {scale, interval, method, decoder} = guidance;
  const where = interval ? ` on σ ${number(interval[1])} to ${number(interval[0])}` : "";
  const how = method === "feedback" ? " by feedback" : "";
  const read = decoder === "guided" ? ", read with the guided kernels" : "";
  return `guided${how} ×${number(scale)}${where}${read}`;
}
