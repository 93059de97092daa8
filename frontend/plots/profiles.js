// E[h | class]: the entropy that paths of each true class see; classes decide at different levels.

import {unitFactor, value} from "./axes.js";
import {largest, line, scaled} from "./bands.js";
import {layoutOf} from "./figure.js";
import {bestProfile} from "../protocol/quantities.js";

/** Return one trace a class. */
export function traces({profiles, sigma, axis, unit, colorOf}) {
  const x = sigma.map((level) => value(axis, level));
  return profiles.map((profile) =>
    line(x, scaled(bestProfile(profile), unitFactor(unit)), colorOf(profile.label), {width: 1.5, name: profile.label})
  );
}

/** Return the layout: the scene's axis, smaller. */
export function layout({figure, profiles, axis, unit, theme, ends, size}) {
  const base = layoutOf(figure, "profiles", {axis, unit, theme, ends, size});
  const shown = profiles.map((profile) => scaled(bestProfile(profile), unitFactor(unit)));
  base.yaxis.range = [0, 1.08 * largest(...shown) || 1];
  base.margin = {...base.margin, l: 46, r: 6, t: 6};
  base.font = {...base.font, size: 11};
  base.yaxis.nticks = 4;
  base.xaxis.title.text = figure.axes[axis].short;
  return base;
}
