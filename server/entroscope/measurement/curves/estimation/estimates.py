"""The best estimate of a curve, with all that may be left in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.calibration import step_error
from entroscope.measurement.curves.checks import left_out, pruning_bound
from entroscope.measurement.curves.estimation.best_estimate import REST_RATIO, best_estimate
from entroscope.measurement.curves.estimation.companions import BLOCKED, PAIRED
from entroscope.measurement.curves.estimation.control_variates import combined
from entroscope.measurement.curves.moments import Moments, control_levels
from entroscope.measurement.plan.complement import is_complement_run
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import COMBINED, ENTROPY, MISSED, PRODUCTION, Quantity

Array = NDArray[np.float64]

#: Bits decided above sigma_max up to which half the production there is what was decided.
CORRECTABLE_BITS = 0.05
#: Share of that correction which counts as its own error.
CORRECTION_ERROR = 0.1
#: Bootstrap samples of the blocks.
RESAMPLES = 100
#: Bits of the bound of pruning up to which M is taken to have mean 0.
UNPRUNED_BITS = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """The best estimate of one quantity of a curve, over noise levels.

    Attributes:
        mean, error: (steps,), and its standard error.
        step_error: (steps,), what else may be left: of the steps, of what was decided above
            sigma_max and of pruning; NaN where that is not known.
        rest: (steps,), what the steps may have left with its sign, as it was seen; slopes: (steps,
            controls), of each control variate; both None in runs without companions.
    """

    mean: Array
    error: Array
    step_error: Array
    rest: Array | None = None
    slopes: Array | None = None


def estimates(plan: Plan, curve: Curve, moments: Moments) -> dict[Quantity, Estimate]:
    """Return the best estimate of each of COMBINED."""
    if moments.companions is None or moments.companions.count < 2:
        return {quantity: _uncorrected(plan, curve, moments, quantity) for quantity in COMBINED}
    prior = None
    bound = pruning_bound(curve, moments) if plan.spec.prune_below else np.zeros(len(plan.sigmas))
    if not _uncontrolled(plan) and bound.max() <= UNPRUNED_BITS:
        prior = label_shares(plan, curve)
    best = {q: best_estimate(moments, moments.companions, q, prior) for q in COMBINED}
    above = _above(plan, moments)
    corrected = {}
    for quantity, one in best.items():
        shift, doubt = above[quantity]
        left = one.step_error + doubt + (bound if quantity is ENTROPY else 0)
        corrected[quantity] = Estimate(one.mean - shift, one.error, left, one.rest, one.slopes)
    return corrected


def label_shares(plan: Plan, curve: Curve) -> Array:
    """Return the probability of each run label inside a curve's partition, (run labels,)."""
    inside = np.zeros(len(plan.prior))
    for group in curve.groups:
        inside[list(group)] = plan.prior[list(group)]
    return np.asarray(inside / inside.sum())


def _uncontrolled(plan: Plan) -> bool:
    """Return whether M has no reason to be 0, or the sides of a run are no labels of the prior."""
    return is_complement_run(plan.spec) or "production_integral" in left_out(plan)


def plain_step_error(plan: Plan, moments: Moments) -> Array:
    """Return the size of the error of the steps of the plain entropy, (steps,).

    The size of M less what its own standard error explains: M is 0 but for the error of the steps,
    which reaches the integral first and more strongly than the entropy (guide: Error of the steps).
    With companions it is what they measured and what that leaves, where that is more. On data paths
    it is what the half-path corrects.
    """
    if plan.spec.paths_from == "data":
        return step_error(moments)
    missed, noise = moments.mean(MISSED.name), np.nan_to_num(moments.error(MISSED.name))
    size = np.sqrt(np.maximum(missed**2 - noise**2, 0))
    if moments.companions is not None and moments.companions.count:
        row, sums = PAIRED.index(ENTROPY), moments.companions
        first = np.abs(sums.delta[row]) / sums.count
        second = np.abs(sums.rest[0, row]) / (REST_RATIO * max(1.0, float(sums.rest_n[0])))
        size = np.maximum(size, first + second)
    return np.asarray(size)


def _uncorrected(plan: Plan, curve: Curve, moments: Moments, quantity: Quantity) -> Estimate:
    unknown = np.full(len(plan.sigmas), np.nan)
    steps = plain_step_error(plan, moments) if quantity is ENTROPY else unknown
    if _uncontrolled(plan):
        return Estimate(moments.mean(quantity.name), moments.error(quantity.name), steps)
    regressed = combined(moments, quantity.name, label_shares(plan, curve))
    return Estimate(regressed.mean, regressed.error, steps)


def _above(plan: Plan, moments: Moments) -> dict[Quantity, tuple[Array, Array]]:
    """Return what was decided above sigma_max: shift of each quantity, and its doubt, (steps,).

    The chain starts from the prior, and misses production(sigma_max) / 2 (guide: The posterior).
    What is missed is evidence as from one more step, and counts for less the more is decided: in
    proportion to sigma^2 production, the spread of the denoised data under the posterior.
    """
    production = np.maximum(moments.mean(PRODUCTION.name), 0)
    spread = production * plan.sigmas**2
    weight = np.minimum.accumulate(np.clip(spread / max(spread[0], 1e-300), 0, 1))
    missed = production[0] / 2
    slope = np.gradient(weight, np.log(plan.sigmas))
    shifts = {ENTROPY: missed * weight, PRODUCTION: missed * slope}
    known = plan.spec.guidance is None and missed <= CORRECTABLE_BITS
    if known and not is_complement_run(plan.spec):
        return {q: (shift, CORRECTION_ERROR * np.abs(shift)) for q, shift in shifts.items()}
    return {q: (np.zeros_like(shift), np.abs(shift)) for q, shift in shifts.items()}


def resampled_production(plan: Plan, curve: Curve, moments: Moments, estimate: Estimate) -> Array:
    """Return the best estimate of production of bootstrap samples of the blocks of trajectories.

    The slopes stay those of the whole, and so does what was decided above sigma_max. Blocks without
    a companion are left out.

    Returns:
        (RESAMPLES, steps).
    """
    sums, slopes = moments.companions, estimate.slopes
    if sums is None or slopes is None:
        raise ValueError("a run without companions has no blocks")
    fine_blocks, delta_blocks = sums.block.astype(np.float64)
    blocks = np.flatnonzero(sums.delta_n > 0)
    draws = np.random.default_rng(0).multinomial(
        len(blocks), np.full(len(blocks), 1 / len(blocks)), size=RESAMPLES
    )
    n = draws @ sums.block_n[blocks]  # (samples, run labels)
    fine = np.einsum("sb,bqk->sqk", draws, fine_blocks[blocks]) / n.sum(1)[:, None, None]
    delta = np.einsum("sb,bqk->sqk", draws, delta_blocks[blocks])
    corrected = fine + delta / (draws @ sums.delta_n[blocks])[:, None, None]
    missed = corrected[:, BLOCKED.index(MISSED)]
    before = np.concatenate([np.zeros_like(missed[:, :1]), missed[:, :-1]], 1)
    shared = missed[:, control_levels(len(plan.sigmas))[: moments.nodes]]
    if len(plan.prior) == slopes.shape[1] - shared.shape[1] - 2:
        shares = n / n.sum(1, keepdims=True)
        shared = np.concatenate([shared, shares - label_shares(plan, curve)], 1)
    shift = shared @ slopes[:, : shared.shape[1]].T + slopes[:, -2] * missed
    shift = shift + slopes[:, -1] * before + _above(plan, moments)[PRODUCTION][0]
    return np.asarray(corrected[:, BLOCKED.index(PRODUCTION)] - shift)
