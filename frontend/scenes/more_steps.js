// Whether the steps of a finished run leave more than they should, and the run that would do better. Pure.

/**
 * Return why a run needs more steps, or "".
 *
 * Either the integral of production misses the fall of the entropy, or, for the curve in focus, the error that the steps
 * leave inside the decision window is larger than its noise.
 */
export function moreStepsReason({focus, window, sigma}, checks) {
  if (checks.some(({name, ok, bound}) => name.startsWith("production_integral") && ok === false && bound !== null)) {
    return "The integral of production misses the fall of the entropy.";
  }
  return stepsExceedNoise(focus, window, sigma) ? "In the decision window the steps leave a larger error than the noise." : "";
}

/** Return the request for the same run with twice the steps: {spec}, or {steps} of a refined run; null above a limit. */
export function withTwiceTheSteps({spec, sigma}, most) {
  const {sigmas, ...rule} = spec.schedule;
  const intervals = 2 * (sigma.length - 1);
  const steps = namesLevels(spec) ? intervals + 1 : 2 * sigma.length; // 2 n - 1 levels hold the n there were
  if (steps > most) return null;
  return sigmas ? {steps} : {steps, spec: {...spec, schedule: {...rule, steps}}};
}

/** Whether settings of a spec must be noise levels of the run. */
const namesLevels = ({studies, guidance}) => Boolean(studies?.branching || studies?.switch || guidance?.interval);

function stepsExceedNoise(focus, window, sigma) {
  if (!focus?.combined || !window || window.sigma_low === null) return false;
  const inside = sigma.map((level, i) => [level, i]).filter(([level]) => level >= window.sigma_low && level <= window.sigma_high);
  const largest = (name) => Math.max(0, ...inside.map(([, i]) => focus[name][i] ?? 0));
  return largest("entropy_combined_step_error") > largest("entropy_noise");
}
