"""Complement runs: a class against the rest with two evaluations (guide: Complement).

Every trajectory belongs to one class and its complement, and to one side of the two.
"""

from typing import Any

import numpy as np

from entroscope.protocol.spec import Spec

#: Prior of the class against its complement where the spec names none: the papers'.
HALF = 0.5
#: Trajectories that every class must have, to have an error at all.
FEWEST = 2


def is_complement_run(spec: Spec) -> bool:
    """Return whether every trajectory belongs to one class and its complement only."""
    return spec.complement != "classes"


def is_consistent(spec: Spec) -> bool:
    """Return whether the posterior of a class is the exact one of its sampled paths.

    So it is where the complement's paths are moved by what they are scored with.
    """
    return not is_complement_run(spec) or spec.complement_paths == spec.complement


def fill_complement(spec: Spec) -> dict[str, Any]:
    """Return the fields that the spec of a complement run leaves out."""
    if not is_complement_run(spec):
        return {}
    prior = HALF if spec.pair_prior is None else spec.pair_prior
    return {"complement_paths": spec.complement_paths or spec.complement, "pair_prior": prior}


def evaluations_per_level(spec: Spec) -> int:
    """Return how many evaluations a sample takes at one noise level, at most."""
    return 3 if spec.complement_paths == "random-class" else 2


def knows_sides_only(spec: Spec) -> bool:
    """Return whether of a trajectory's true label only its side is known: class or complement."""
    return is_complement_run(spec) and spec.complement_paths != "random-class"


def saturated_entropy(q: float, share: float, stays: bool) -> float:
    """Return the entropy that is left once the log-ratio to the unconditional branch saturates.

    Paths of the class end with the odds q / ((1 - q) share), and so do those of the complement that
    end in the class.

    Args:
        q: prior of the class against its complement.
        share: its prior among all classes.
        stays: whether the unconditional branch moves the complement's paths: some end in the class.
    """
    inside = q + (1 - q) * share if stays else q
    return inside * binary_entropy(q / (q + (1 - q) * share))


def binary_entropy(p: float) -> float:
    """Return the entropy of (p, 1 - p) in bits."""
    return float(-sum(x * np.log2(x) for x in (p, 1 - p) if x > 0))
