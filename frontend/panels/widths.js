// How wide the band of half-made decisions is in the runs of a sweep.

import {byId} from "../lib/dom.js";
import * as widths from "../plots/widths.js";
import {drawChart} from "./chart.js";

/** Draw the widths of a sweep; without any, take the panel away. */
export function showWidths(scene) {
  byId("widths").closest("section").hidden = !scene;
  if (scene) drawChart(byId("widths"), widths, scene);
}
