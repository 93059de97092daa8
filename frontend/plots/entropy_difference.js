// What guidance adds to the entropy of every decision, over the noise axis.

import {unitFactor, value} from "./axes.js";
import {band, line, scaled, shifted} from "./bands.js";
import {faded} from "../lib/colour.js";
import {around, told} from "./redistribution.js";

/** Return the difference of H: of the curve with its 95 % band, or of every class against the rest. */
export function traces(scene) {
  const {figure, sigma, axis, unit, theme, differences, shown} = scene;
  const x = sigma.map((level) => value(axis, level));
  const factor = unitFactor(unit);
  return differences.flatMap((curve) => {
    const color = scene.colorOf(curve.path.at(-1)) ?? figure[theme].colors.entropy;
    const single = differences.length === 1;
    const focus = single || shown.has(curve.path.at(-1));
    const trace = told(line(x, scaled(curve.entropy, factor), color, {
      width: focus ? 2.2 : 1, markers: single, name: curve.path.at(-1) ?? curve.title
    }), scene, unit);
    return focus ? [band(x, ...ends(curve, figure, factor), faded(color, 0.24)), trace] : [{...trace, opacity: 0.5}];
  });
}

/** Return the layout of the difference of H. */
export function layout(scene) {
  const factor = unitFactor(scene.unit);
  const edges = scene.differences.flatMap((curve) => [scaled(curve.entropy, factor), ...ends(curve, scene.figure, factor)]);
  return around(edges, scene, "entropy_difference");
}

const ends = (curve, figure, factor) =>
  [-1, 1].map((sign) => shifted(curve.entropy, curve.entropy_se, sign * figure.band.standard_errors, factor));
