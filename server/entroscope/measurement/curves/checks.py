"""What every run must satisfy, measured on the run itself (guide: Checks)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.plan.complement import binary_entropy, is_complement_run, is_consistent
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import MISSED

Array = NDArray[np.float64]

#: How many standard errors a paired difference may be away from 0.
STANDARD_ERRORS = 4.0
#: Bits that may have been decided above sigma_max.
ABOVE_BITS = 0.01
#: Bits that the integral of production may miss, times the number of steps (0.25 at 32).
STEP_BITS = 8.0
#: The same with companions, times the square of the number of steps (0.1 at 32).
CORRECTED_STEP_BITS = 100.0
#: Bits that pruning may have moved H by.
PRUNING_BITS = 0.05
#: Rounding of an entropy in float64 sums, in bits.
ROUNDING_BITS = 1e-6

#: What holds on paths of the model only; on data the second is reported, as calibration.
ON_MODEL_PATHS = frozenset(
    {"entropy_rises_with_sigma", "cross_entropy_equals_entropy", "production_integral"}
)

#: What each check says, for badges and terminals.
EXPLANATIONS = {
    "entropy_bounds": "Entropy lies between 0 and the entropy of the prior (bits outside).",
    "entropy_rises_with_sigma": "Entropy rises with sigma (largest fall, in standard errors).",
    "cross_entropy_equals_entropy": "Cross-entropy and entropy agree on paths of the model itself "
    "(largest gap, in standard errors of the paired difference).",
    "production_integral": "Integrated production gives back the fall of the entropy (bits "
    "missed; the bound shrinks with the number of steps).",
    "pruning_bound": "Pruning can hardly have moved the entropy (bits, the bound at its largest).",
    "chain_rule": "Entropy of the leaves of a tree = entropy of its root + that inside its groups "
    "(largest difference, in standard errors of the paired difference).",
    "information_above_sigma_max": "Little was decided above sigma_max (bits, about half the "
    "production there).",
    "branching_agrees_with_posterior": "Continuations end in each class as often as the posterior "
    "they left from says (largest difference, in standard errors).",
}


def check(name: str, curve: str, value: float, bound: float) -> dict[str, Any]:
    """Return one check as in the result; `ok` is None where it could not be measured."""
    measured = np.isfinite(value) and not np.isnan(bound)
    ok = bool(value <= bound) if measured else None
    return {
        "name": f"{name}[{curve}]",
        "ok": ok,
        "value": float(value),
        "bound": float(bound),
        "explanation": EXPLANATIONS[name],
    }


def run_checks(plan: Plan, merged: dict[str, Moments]) -> list[dict[str, Any]]:
    """Return all checks of all curves."""
    return [c for curve in plan.curves for c in _curve_checks(plan, curve, merged[curve.key])]


def _curve_checks(plan: Plan, curve: Curve, moments: Moments) -> Iterator[dict[str, Any]]:
    if moments.count < 2 and is_complement_run(plan.spec):
        return  # none of its paths yet: the classes take turns
    for name, measure in MEASURES.items():
        if name not in left_out(plan) and _applies(name, plan, curve):
            yield check(name, curve.key, *measure(plan, curve, moments))


def _applies(name: str, plan: Plan, curve: Curve) -> bool:
    if name == "pruning_bound":
        return plan.spec.prune_below > 0
    return name != "chain_rule" or bool(curve.leaves)


def left_out(plan: Plan) -> frozenset[str]:
    """Return the checks that do not apply to a run (guide: Checks).

    Guidance moves the paths off the mixture that the model's own kernels are the posterior of, and
    data need not follow the model at all; so does a complement whose paths are moved by something
    else than they are scored with.
    """
    if plan.spec.paths_from == "data":
        return ON_MODEL_PATHS
    guidance = plan.spec.guidance
    guided = guidance is not None and guidance.decoder == "model"
    if not guided and is_consistent(plan.spec):
        return frozenset()
    return frozenset({"entropy_rises_with_sigma", "cross_entropy_equals_entropy"})


def _bounds(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    # Where other paths than those scored are walked, the prior says nothing of their mean.
    consistent = is_consistent(plan.spec)
    return _outside(moments, group_entropy(plan, curve) if consistent else 1.0)


def _rises(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    return _in_errors(moments.mean("rise"), moments.error("rise")), STANDARD_ERRORS


def _gap(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    beyond = np.abs(moments.mean("gap")) - pruning_bound(curve, moments)
    return _in_errors(beyond, _paired_error(moments, "gap", "varentropy")), STANDARD_ERRORS


def _integral(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    pruned, steps = float(pruning_bound(curve, moments)[-1]), len(plan.sigmas)
    if moments.companions is None or moments.companions.count < 2:
        noise = STANDARD_ERRORS * float(moments.error("missed")[-1])
        missed = float(abs(moments.mean("missed")[-1]))
        return missed, STEP_BITS / steps + noise + pruned
    sums = (array[MISSED.row] for array in (moments.total, moments.square))
    mean, error = moments.companions.of_quantity(MISSED).added_to(moments.count, *sums)
    noise = STANDARD_ERRORS * float(error[-1])
    return float(abs(mean[-1])), CORRECTED_STEP_BITS / steps**2 + noise + pruned


def _pruned(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    return float(np.max(pruning_bound(curve, moments))), PRUNING_BITS


def _chain(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    error = _paired_error(moments, "chain", "chain_variance")
    return _in_errors(np.abs(moments.mean("chain")), error), STANDARD_ERRORS


def _above(plan: Plan, curve: Curve, moments: Moments) -> tuple[float, float]:
    return float(moments.mean("production")[0]) / 2, ABOVE_BITS


Measure = Callable[[Plan, Curve, Moments], tuple[float, float]]
#: Value and bound of each check, by name.
MEASURES: dict[str, Measure] = {
    "entropy_bounds": _bounds,
    "entropy_rises_with_sigma": _rises,
    "cross_entropy_equals_entropy": _gap,
    "production_integral": _integral,
    "chain_rule": _chain,
    "information_above_sigma_max": _above,
    "pruning_bound": _pruned,
}


def pruning_bound(curve: Curve, moments: Moments) -> Array:
    """Return how far pruning may have moved H at every noise level, in bits.

    h(eps) + eps log2 K of the mean dropped mass eps (guide: Pruning); both are concave, so
    that the mean over trajectories is bounded by that of the mean.
    """
    mass = np.clip(np.nan_to_num(moments.mean("dropped")), 0, 1)
    binary = -(_p_log_p(mass) + _p_log_p(1 - mass))
    # h falls again beyond one half, the bound may not.
    binary = np.where(mass < 0.5, binary, 1.0)
    return np.asarray(binary + mass * np.log2(len(curve.groups)))


def _p_log_p(p: Array) -> Array:
    return np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0.0)


def group_entropy(plan: Plan, curve: Curve) -> float:
    """Return the entropy of the prior of a curve's groups, in bits: the bound of H."""
    if is_complement_run(plan.spec):
        return binary_entropy(float(plan.complement_priors[curve.groups[0][0]]))
    weights = np.array([plan.prior[list(group)].sum() for group in curve.groups])
    weights = weights / weights.sum()
    return float(-(weights * np.log2(weights)).sum())


def _outside(moments: Moments, bound: float) -> tuple[float, float]:
    """Return by how much the entropy leaves its bounds, where it does so most, and how far it may.

    Where the prior is not uniform one trajectory may lie above; only their mean may not.
    """
    entropy = moments.mean("entropy")
    outside = np.maximum(np.maximum(entropy - bound, -entropy), 0)
    errors = STANDARD_ERRORS * np.nan_to_num(moments.error("entropy")) + ROUNDING_BITS
    worst = int(np.argmax(outside - errors))
    return float(outside[worst]), float(errors[worst])


def _in_errors(size: Array, error: Array) -> float:
    """Return the largest size in units of its standard error; differences of rounding are 0."""
    real = size > ROUNDING_BITS
    return float(np.max(np.where(real, size / np.where(error > 0, error, np.inf), 0.0)))


def _paired_error(moments: Moments, quantity: str, variance: str) -> Array:
    """Return the standard error of a mean, from its spread or from what the posterior predicts.

    Where a class has all but won, the rare trajectory that ends elsewhere carries the whole
    difference and is mostly not among the sampled ones: their spread alone is far too small.
    """
    predicted = np.sqrt(np.maximum(moments.mean(variance), 0) / max(1, moments.count))
    return np.asarray(np.fmax(moments.error(quantity), predicted))
