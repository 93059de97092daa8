"""Runs of pairs: a class against its complement with two evaluations (science.md, section 5).

Every trajectory belongs to one pair, a class and its complement, and to one side of it.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import Moments
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import is_each_vs_rest
from entroscope.protocol.spec import Spec

if TYPE_CHECKING:
    from entroscope.measurement.plan.curves import Curve
    from entroscope.measurement.plan.plan import Plan

Array = NDArray[np.float64]

#: The prior of a pair where the spec names none: the papers'.
HALF = 0.5
#: Trajectories that every pair must have, to have an error at all.
FEWEST = 2


def is_paired(spec: Spec) -> bool:
    """Return whether every trajectory belongs to one pair only."""
    return spec.complement != "classes"


def is_consistent(spec: Spec) -> bool:
    """Return whether the posterior of a pair is the exact one of its own sampled paths.

    So it is where the complement's paths are moved by what they are scored with.
    """
    return not is_paired(spec) or spec.complement_paths == spec.complement


def fill_pairs(spec: Spec) -> dict[str, Any]:
    """Return the fields that a spec of pairs leaves out."""
    if not is_paired(spec):
        return {}
    prior = HALF if spec.pair_prior is None else spec.pair_prior
    return {"complement_paths": spec.complement_paths or spec.complement, "pair_prior": prior}


def pair_evaluations(spec: Spec) -> int:
    """Return how many evaluations a sample takes at one noise level, at most."""
    return 3 if spec.complement_paths == "random-class" else 2


def has_sides(spec: Spec) -> bool:
    """Return whether all that is known of a trajectory's true label is the side of its pair."""
    return is_paired(spec) and spec.complement_paths != "random-class"


def pair_classes(plan: "Plan") -> NDArray[np.int64]:
    """Return the classes that are set against the rest, as positions among the run labels."""
    return np.unique([curve.groups[0][0] for curve in plan.curves])


def in_sides(plan: "Plan", curve: "Curve", moments: Moments) -> Moments:
    """Return the moments of a record that told all labels apart, as early ones did, by side."""
    if len(moments.n) == plan.num_truths:
        return moments
    place = curve.groups[0][0]
    sums = {name: getattr(moments, name) for name in ("n", "profile", "profile_square")}
    return replace(
        moments, **{k: np.stack([s[place], s.sum(0) - s[place]]) for k, s in sums.items()}
    )


def truth_names(plan: "Plan", curve: "Curve") -> list[str]:
    """Return what the true labels of a curve's trajectories are called, (num_truths,)."""
    if has_sides(plan.spec):
        return [curve.names[0], "rest"]
    labels = [plan.labels[column] for column in plan.columns]
    return [*labels, "rest"] if is_paired(plan.spec) else labels


def pair_priors(plan: "Plan") -> Array:
    """Return the probability of each run label in its pair, (run labels,)."""
    wanted = plan.spec.pair_prior
    if not is_paired(plan.spec) or wanted == "prior":
        return plan.prior
    return np.full(len(plan.prior), HALF if wanted is None else wanted)


def floor_document(
    plan: "Plan", curve: "Curve", entropy: float, error: float, prior: float
) -> dict[str, Any] | None:
    """Return where a curve of pairs ends, or None for other runs: its floor, in bits.

    The unconditional branch holds the class itself, so that the log-ratio saturates at log 1/pi,
    pi the class's own prior: `saturation`; `expected` is what that leaves, were all else decided.
    Both hold for an exact mixture of the classes. A trained branch may differ, and its log-ratio
    then goes beyond: a curve below `expected` says so.

    Args:
        entropy, error: of the curve at the lowest noise level.
        prior: of the class in its pair.
    """
    if not is_paired(plan.spec):
        return None
    floor = {"entropy": entropy, "entropy_se": error, "saturation": None, "expected": None}
    if plan.spec.complement == "unconditional":
        own = float(plan.prior[curve.groups[0][0]])
        stays = plan.spec.complement_paths == "unconditional"
        floor |= {
            "saturation": -np.log2(own),
            "expected": saturated_entropy(prior, own, stays),
        }
    return floor


def saturated_entropy(q: float, own: float, stays: bool) -> float:
    """Return the entropy that is left once the log-ratio to the unconditional branch saturates.

    Paths of the class end with the odds q / ((1 - q) own), and so do those of the complement that
    end in the class.

    Args:
        q: prior of the class in its pair; own: among all classes.
        stays: whether the unconditional branch moves the complement's paths: some end in the class.
    """
    inside = q + (1 - q) * own if stays else q
    return inside * binary_entropy(q / (q + (1 - q) * own))


def is_pair(plan: "Plan", curve: "Curve") -> bool:
    """Return whether a curve is that of a class against the rest."""
    return is_each_vs_rest(plan.spec.partitions[curve.partition])


def binary_entropy(p: float) -> float:
    """Return the entropy of (p, 1 - p) in bits."""
    return float(-sum(x * np.log2(x) for x in (p, 1 - p) if x > 0))


def check_pairs(spec: Spec, info: ModelInfo, pairs: int, prior: Array, own_prior: Array) -> None:
    """Check a resolved spec of pairs.

    Args:
        pairs: how many classes are set against the rest.
        prior: of the run, over its labels; own_prior: the model's, over all of its labels.
    Raises:
        SpecError: the model has no such pairs, or another field does not go with them.
    """
    if not is_paired(spec):
        _check_unused(spec)
        return
    if not info.unconditional:
        reason = f"model {info.name!r} has no unconditional branch; use 'classes'"
        raise SpecError("complement", spec.complement, reason)
    for name, partition in spec.partitions.items():
        if not is_each_vs_rest(partition):
            reason = f"must be 'each-vs-rest' in a run with complement {spec.complement!r}"
            raise SpecError(f"partitions.{name}", spec.document()["partitions"][name], reason)
    own = own_prior / own_prior.sum()
    if len(own) != len(prior) or not np.allclose(own, prior):
        reason = "must be the model's own: the unconditional branch knows no other"
        raise SpecError("prior", spec.prior, reason)
    fewest = FEWEST * pairs
    if spec.trajectories < fewest:
        reason = f"must be at least {fewest}, {FEWEST} for each of {pairs} pairs"
        raise SpecError("trajectories", spec.trajectories, reason)
    _check_company(spec)


def _check_unused(spec: Spec) -> None:
    for field in ("complement_paths", "pair_prior"):
        if (value := getattr(spec, field)) is not None:
            raise SpecError(field, value, "is for complement 'rebuilt' or 'unconditional' only")


def _check_company(spec: Spec) -> None:
    if spec.guidance is not None:
        reason = f"does not go with complement {spec.complement!r}; use 'classes'"
        raise SpecError("guidance", spec.guidance.model_dump(), reason)
    if spec.prune_below:
        reason = f"nothing to prune with complement {spec.complement!r}; must be 0"
        raise SpecError("prune_below", spec.prune_below, reason)
