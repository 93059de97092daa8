"""Each-vs-rest curves at another prior of the class, without sampling again.

A wanted prior w shifts the log-odds of every path by logit(w) - logit(q), and weighs the mean over
paths: w on the side of the class, 1 - w on that of its complement (guide: Complement).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.floor import floor_document
from entroscope.measurement.curves.records import PAIR, PAIRS
from entroscope.measurement.curves.windows import window_alone
from entroscope.measurement.plan.complement import binary_entropy, is_complement_run, is_consistent
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict, SpecError
from entroscope.protocol.frames import finite
from entroscope.protocol.quantities import CROSS_ENTROPY, ENTROPY, PRODUCTION, SHOWN

Array = NDArray[np.float64]
Values = Mapping[str, NDArray[Any]]
#: Surprise, in nats, below which a side counts as certain; it keeps the log-odds finite.
CERTAIN = 1e-300


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths that count for one each-vs-rest curve.

    Attributes:
        values: (quantities of SHOWN, steps, paths), float64.
        labels: (paths,), position of each path's true label among the run labels.
        is_own: (paths,), whether the path is on the side of the class.
    """

    values: Array
    labels: NDArray[np.int64]
    is_own: NDArray[np.bool_]

    @classmethod
    def of(cls, plan: Plan, curve: Curve, batches: Sequence[Values]) -> Self:
        """Args: batches: of each "labels" and what its record keeps of every trajectory."""
        label, name = curve.groups[0][0], _kept_under(plan, curve)
        values = np.concatenate([batch[name] for batch in batches], axis=2)
        labels = np.concatenate([batch["labels"] for batch in batches]).astype(np.int64)
        counts = np.isfinite(values[ENTROPY.row, 0])
        if is_complement_run(plan.spec):
            counts &= np.concatenate([batch[PAIR] for batch in batches]) == label
        labels = labels[counts]
        return cls(values[:, :, counts].astype(np.float64), labels, labels == label)


def at_pair_prior(
    plan: Plan,
    result: Mapping[str, Any],
    batches: Sequence[Values],
    prior: float,
) -> dict[str, Any]:
    """Return a result whose each-vs-rest curves are those of a wanted prior of the class.

    Other curves, checks and studies belong to the run's own prior and are left out.

    Args:
        batches: of each "labels" and what its record keeps of every trajectory.
    Raises:
        Conflict: the run has no values per trajectory; SpecError: it has no such curve.
    """
    curves = [curve for curve in plan.curves if plan.is_against_rest(curve)]
    if not curves:
        raise SpecError("pair_prior", prior, "the run has no partition 'each-vs-rest'")
    if any(_kept_under(plan, curve) not in batch for curve in curves for batch in batches):
        raise Conflict("the values of every trajectory were too many to keep; only sums are left")
    shown = {c.key: shifted_curve(plan, c, Paths.of(plan, c, batches), prior) for c in curves}
    changed = {
        "pair_prior": prior,
        "curves": {key: {**result["curves"][key], **new} for key, new in shown.items()},
        "windows": [window_alone(k, plan.sigmas, new["production"]) for k, new in shown.items()],
    }
    document: dict[str, Any] = finite({**result, **changed, "checks": [], "studies": {}})
    return document


def _kept_under(plan: Plan, curve: Curve) -> str:
    return PAIRS if is_complement_run(plan.spec) else curve.key


def shifted_curve(plan: Plan, curve: Curve, paths: Paths, prior: float) -> dict[str, Any]:
    """Return what changes in the document of a curve at a wanted prior of its class."""
    sampled = float(plan.complement_priors[curve.groups[0][0]])
    logs = np.log(plan.sigmas)
    values = shifted(paths, np.log(prior / (1 - prior)) - np.log(sampled / (1 - sampled)))
    if not moved_as_read(plan):
        # The term of the other movement (section 4) was kept in one sum with the disagreement.
        values[PRODUCTION.row] = np.gradient(values[ENTROPY.row], logs, axis=0)
    entropy, production = values[ENTROPY.row], values[PRODUCTION.row]
    area = 0.5 * (production[1:] + production[:-1]) * -np.diff(logs)[:, None]
    integral = np.vstack([np.zeros(area.shape[1]), area.cumsum(0)])
    missed, noise = _weighted(entropy - entropy[0] + integral, paths.is_own, prior)
    arrays: dict[str, Any] = {}
    for name, row in ((quantity.name, quantity.row) for quantity in SHOWN):
        arrays[name], arrays[f"{name}_se"] = _weighted(values[row], paths.is_own, prior)
    steps = np.sqrt(np.maximum(missed**2 - np.nan_to_num(noise) ** 2, 0))
    end, error = float(arrays["entropy"][-1]), float(arrays["entropy_se"][-1])
    return {
        **arrays,
        "entropy_step_error": steps,
        "profiles": _profiles(plan, entropy, paths),
        "bound": binary_entropy(prior),
        "floor": floor_document(plan, curve, end, error, prior),
        "pruning": None,
    }


def moved_as_read(plan: Plan) -> bool:
    """Return whether the paths are those that the posterior is read with."""
    guidance = plan.spec.guidance
    guided = guidance is not None and guidance.decoder == "model"
    return is_consistent(plan.spec) and not guided


def shifted(paths: Paths, shift: float) -> Array:
    """Return the values of every path with its log-odds of the class shifted, as `Paths`.

    The cross-entropy X tells the odds, p = 2^-X on the true side; production is p(1 - p)
    |D_c - D_rest|^2 / sigma^2, of which the prior changes p(1 - p) alone: it is multiplied and not
    computed anew (the denoised data are not kept).
    """
    surprise = np.maximum(paths.values[CROSS_ENTROPY.row] * np.log(2), CERTAIN)
    odds = -surprise - np.log(-np.expm1(-surprise))  # of the true side
    moved = odds + np.where(paths.is_own, shift, -shift)
    right, wrong = _log_sigmoid(moved), _log_sigmoid(-moved)
    entropy = -(np.exp(right) * right + np.exp(wrong) * wrong) / np.log(2)
    change = np.exp(right + wrong - _log_sigmoid(odds) - _log_sigmoid(-odds))
    values = np.empty_like(paths.values)
    values[ENTROPY.row], values[CROSS_ENTROPY.row] = entropy, -right / np.log(2)
    values[PRODUCTION.row] = paths.values[PRODUCTION.row] * change
    return values


def _log_sigmoid(x: Array) -> Array:
    return np.asarray(-np.logaddexp(0, -x))


def _weighted(values: Array, is_own: NDArray[np.bool_], prior: float) -> tuple[Array, Array]:
    """Return mean and standard error of (steps, paths), each side with its weight."""
    mean, variance = np.zeros(len(values)), np.zeros(len(values))
    for weight, side in ((prior, values[:, is_own]), (1 - prior, values[:, ~is_own])):
        n = side.shape[1]
        mean += weight * side.sum(1) / (n or np.nan)
        spread = side.var(1, ddof=1) if n > 1 else np.full(len(values), np.nan)
        variance += weight**2 * spread / (n or np.nan)
    return mean, np.sqrt(variance)


def _profiles(plan: Plan, entropy: Array, paths: Paths) -> list[dict[str, Any]]:
    names = [*(plan.labels[column] for column in plan.columns), "rest"]
    profiles = []
    for label in np.unique(paths.labels).tolist():
        of_label = entropy[:, paths.labels == label]
        n = of_label.shape[1]
        error = of_label.std(1, ddof=1) / np.sqrt(n) if n > 1 else np.full(len(of_label), np.nan)
        profile = {"label": names[label], "n": n, "entropy": of_label.mean(1), "entropy_se": error}
        profiles.append(profile)
    return profiles
