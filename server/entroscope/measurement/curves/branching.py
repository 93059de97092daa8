"""Branching: how often continuations end in each class, against the posterior they left from.

The continuations of one trajectory are independent, and their final classes are drawn from their
final posteriors. Moved by the posterior, p(z|path) is a martingale along them for any network and
any number of steps, so that the counts are multinomial with the posterior they left from: a check
on the program. Moved by the unconditional branch, they agree only as far as that branch is the
mixture of the classes and the steps are fine: then the posterior has predicted what it did not
move, a finding about the model, reported and not checked.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.checks import STANDARD_ERRORS
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.plan.plan import Plan

Array = NDArray[np.float64]

OWN, POSTERIOR, COUNTS = "branching/own[]", "branching/posterior[]", "branching/counts[]"
#: Edges of the posterior between which predictions are pooled.
EDGES = np.array([0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997, 1])
#: A bin tests where at least so many continuations were expected to end in it, and not to.
LEAST_EXPECTED = 10
#: Classes listed for each trajectory, and the smallest posterior of one that was never reached.
MOST_CLASSES, LEAST_POSTERIOR = 16, 0.01
CHECK = "branching_agrees_with_posterior"


def branching_document(plan: Plan, arrays: StudyArrays) -> dict[str, Any] | None:
    """Return what the continuations of the finished batches came to, where they were asked for."""
    asked = plan.spec.studies.branching
    if asked is None or COUNTS not in arrays:
        return None
    posterior, counts = arrays[POSTERIOR], arrays[COUNTS]
    names = [plan.labels[column] for column in plan.columns]
    return {
        "sigma": asked.sigma,
        "repeats": asked.repeats,
        "moved_by": asked.moved_by,
        "n": len(counts),
        "reachable": float((counts > 0).sum(1).mean()) if len(counts) else None,
        "trajectories": [
            _trajectory(index, names, int(label), q, c, asked.repeats)
            for index, (label, q, c) in enumerate(zip(arrays[OWN], posterior, counts, strict=True))
        ],
        "calibration": calibration(posterior, counts, asked.repeats),
    }


def _trajectory(
    index: int,
    names: list[str],
    label: int,
    posterior: Array,
    counts: NDArray[np.int64],
    repeats: int,
) -> dict[str, Any]:
    order = np.argsort(-posterior, kind="stable")
    shown = [i for i in order if counts[i] > 0 or posterior[i] >= LEAST_POSTERIOR]
    classes = [
        {"label": names[i], "posterior": posterior[i], "frequency": counts[i] / repeats}
        for i in shown[:MOST_CLASSES]
    ]
    reached = int((counts > 0).sum())
    return {"trajectory": index, "label": names[label], "reached": reached, "classes": classes}


def calibration(posterior: Array, counts: NDArray[np.int64], repeats: int) -> dict[str, Any]:
    """Return predicted and found frequencies by bins of the posterior, and how far they are apart.

    Of one trajectory the continuations that end in any class of a bin are binomial with the sum Q
    of their posteriors, of variance repeats Q (1 - Q): its classes exclude each other.

    Args:
        posterior, counts: (trajectories, labels).
    """
    bins = list(_bins(posterior, counts, repeats))
    tested = [row for row in bins if row["tested"]]
    largest = max((abs(row["z"]) for row in tested), default=0.0)
    return {
        "bins": bins,
        "largest_z": largest,
        "chi_square": float(sum(row["z"] ** 2 for row in tested)),
        "degrees": len(tested),
        "ok": bool(largest <= STANDARD_ERRORS),
    }


def _bins(posterior: Array, counts: NDArray[np.int64], repeats: int) -> Iterator[dict[str, Any]]:
    bins = np.digitize(posterior, EDGES[1:-1])
    for index, (low, high) in enumerate(pairwise(EDGES)):
        inside = bins == index
        if not inside.any():
            continue
        share = np.where(inside, posterior, 0).sum(1)
        expected, ended = repeats * share.sum(), float(counts[inside].sum())
        spread = float(np.sqrt(repeats * (share * (1 - share)).clip(min=0).sum()))
        size = repeats * int(inside.sum())
        yield {
            "low": low,
            "high": high,
            "n": size,
            "predicted": expected / size,
            "frequency": ended / size,
            "se": spread / size,
            "z": (ended - expected) / spread if spread > 0 else 0.0,
            # The variance is what both sides of the bin must have enough of.
            "tested": spread**2 >= LEAST_EXPECTED,
        }
