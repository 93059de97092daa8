// The legend of the charts: what each line, band and mark of a scene stands for. Pure.

/** Return [{mark, text}] of everything that is drawn for the curve in focus, in the words of figure.json. */
export function chartKey({figure, focus, curves, cross, parts, sketched, modelPaths = null}) {
  if (!focus || sketched) return [];
  const {key, band} = figure;
  const mode = focus.combined ? "combined" : focus.provisional ? "provisional" : "plain";
  const shown = [
    [mode, key[mode], true],
    ["mean", key.plain, parts === "yes" && focus.combined],
    ["band", bandText(focus, band), true],
    ["noise", band.noise_text, parts === "yes"],
    ["exact", key.exact, curves.some(({exact}) => exact)],
    ["cross", key.cross_entropy, cross === "yes" || Boolean(focus.calibration)],
    ["data", key.data, Boolean(focus.calibration)],
    ["paths", key.paths, Boolean(modelPaths?.curves[focus.key])]
  ];
  return shown.filter(([, , isDrawn]) => isDrawn).map(([mark, text]) => ({mark, text}));
}

/** Return what the band of a curve holds: all of the error, or what was measured of it. */
export function bandText({combined, pruning, provisional, entropy_combined_step_error: steps}, band) {
  if (provisional) return band.provisional_text;
  if (!combined) return band.plain_text;
  if (steps.every((error) => error === null)) return band.unmeasured_text;
  return pruning ? band.pruned_text : band.text;
}
