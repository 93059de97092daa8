"""Commitment: when each trajectory's posterior passes a threshold for good, and what it passed by.

The class that wins is the one with the largest posterior at the lowest noise level. A trajectory is
committed above t from the highest noise level on at which, and at all below, the winner's posterior
is above t. Its contender is the other class whose posterior was the largest anywhere on the path
below the highest noise level: the class it nearly became. A flip is a change of the leading class
between two neighbouring steps below the highest level; where classes are level flips are chance,
and finer steps see more of them. What counts whatever the steps is how often the first class above
t is not the winner: a posterior that means what it says is overtaken with probability 1 - p.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import standard_error
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan

Array = NDArray[np.float64]

THRESHOLDS = (0.5, 0.9)
#: Pairs of winner and contender in a result, the most frequent ones.
MOST_PAIRS = 256
#: Trajectories whose own commitment is in the result, the first of the run.
MOST_LISTED = 64
#: Names of the arrays of a record; `commitment.py` of the workers fills them.
COUNTS, FLIPS, FIRST = "commitment/counts", "commitment/flips", "commitment/first"
PAIRS, LISTED = "commitment/pairs[]", "commitment/listed[]"


def commitment_curve(curves: Sequence[Curve]) -> Curve | None:
    """Return the first curve that tells single labels apart, or None."""
    return next((c for c in curves if all(len(group) == 1 for group in c.groups)), None)


def commitment_document(plan: Plan, arrays: StudyArrays) -> dict[str, Any] | None:
    """Return the commitment of the trajectories of the finished batches."""
    curve = commitment_curve(plan.curves)
    if curve is None or COUNTS not in arrays:
        return None
    n, flips, flips_square = arrays[FLIPS]
    return {
        "curve": curve.key,
        "n": int(n),
        "thresholds": [
            _threshold(plan, above, arrays[COUNTS][i], arrays[FIRST][i])
            for i, above in enumerate(THRESHOLDS)
        ],
        "flips": flips / (n or np.nan),
        "flips_se": float(standard_error(int(n), np.array(flips), np.array(flips_square))),
        "pairs": list(_pairs(curve, arrays[PAIRS])),
        "trajectories": list(_listed(plan, curve, arrays[LISTED])),
    }


def _threshold(plan: Plan, above: float, counts: Array, first: Array) -> dict[str, Any]:
    """Args: counts: (steps + 1,), the last for never; first: n, overtaken, expected, variance."""
    n, overtaken, expected, variance = first / np.maximum([1, first[0], first[0], 1], 1)
    spread = np.sqrt(variance) / max(1, n)
    return {
        "above": above,
        "counts": counts[:-1],
        "never": int(counts[-1]),
        **{f"sigma_{name}": _quantile(plan.sigmas, counts[:-1], q) for name, q in QUANTILES},
        "first": {"n": int(n), "overtaken": overtaken, "expected": expected, "se": spread},
    }


QUANTILES = (("10", 0.1), ("median", 0.5), ("90", 0.9))


def _quantile(sigmas: Array, counts: Array, share: float) -> float:
    """Return the noise level below which this share of the committed have not committed yet."""
    running = np.cumsum(counts[::-1])  # from the lowest level up
    if not running[-1] > 0:
        return float("nan")
    return float(sigmas[::-1][int(np.searchsorted(running, share * running[-1]))])


def _pairs(curve: Curve, rows: Array) -> Iterator[dict[str, Any]]:
    """Args: rows: (any, 4), winner, contender, how many, sum of the contender's peaks."""
    keys, numbers = np.unique(rows[:, :2], axis=0, return_inverse=True)
    sums = np.zeros((len(keys), 2))
    np.add.at(sums, numbers.ravel(), rows[:, 2:])
    for i in np.argsort(-sums[:, 0], kind="stable")[:MOST_PAIRS]:
        final, contender = (curve.names[int(group)] for group in keys[i])
        n, peaks = sums[i]
        yield {"final": final, "contender": contender, "n": int(n), "peak": peaks / n}


def _listed(plan: Plan, curve: Curve, rows: Array) -> Iterator[dict[str, Any]]:
    """Args: rows: (any, 7), trajectory, final, contender, its peak, flips, a step a threshold."""
    levels = np.append(plan.sigmas, np.nan)
    for trajectory, final, contender, peak, flips, *steps in rows:
        yield {
            "trajectory": int(trajectory),
            "final": curve.names[int(final)],
            "contender": curve.names[int(contender)],
            "peak": peak,
            "flips": int(flips),
            "sigmas": [levels[int(step)] for step in steps],
        }
