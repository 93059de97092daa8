"""The model as a classifier of noised data: what runs on data paths measure besides the curves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import Moments, standard_error
from entroscope.protocol.quantities import CALIBRATED

Array = NDArray[np.float64]

#: Values per trajectory and noise level: whether the likeliest group is the true one, 0 or 1; its
#: posterior; and cross-entropy and entropy in bits, corrected for the steps by the half-path, NaN
#: where that has no state.
VALUES = ("correct", "confidence", "entropy_corrected", "cross_entropy_corrected")
#: Bins of the confidence in a reliability diagram, equal parts of 0 to 1.
BINS = 10
ROWS = 2 * len(CALIBRATED) + 3 * BINS


def calibration_rows(paths_from: str) -> int:
    """Return how many sums a curve keeps a noise level."""
    return ROWS if paths_from == "data" else 0


def calibration_sums(values: Array, entropy: Array, cross_entropy: Array) -> Array:
    """Return the sums over trajectories that batches publish; they merge by addition.

    Args:
        values: (VALUES, steps, batch); entropy, cross_entropy: (steps, batch), NaN in all of a
            trajectory that does not count.
    Returns:
        (ROWS, steps): sums, then squares of CALIBRATED; then number, confidence and right ones
            by bin.
    """
    counts = np.isfinite(cross_entropy[0])
    correct, confidence, corrected, cross_corrected = values[:, :, counts]
    gap = (cross_entropy - entropy)[:, counts]
    table = np.stack([correct, gap, corrected, cross_corrected, cross_corrected - corrected])
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    members = [bins == index for index in range(BINS)]  # each (steps, counts)
    weights = (np.ones_like(correct), confidence, correct)
    diagram = [(member * weight).sum(1) for weight in weights for member in members]
    return np.concatenate([table.sum(2), np.square(table).sum(2), np.stack(diagram)])


def calibration_document(moments: Moments) -> dict[str, Any] | None:
    """Return accuracy, gap, corrected curves and reliability of a curve; None on model paths."""
    if not len(moments.calibration):
        return None
    document: dict[str, Any] = {}
    for name in (quantity.name for quantity in CALIBRATED):
        document[name], document[f"{name}_se"] = _mean(moments, name)
    number, confidence, correct = moments.calibration[2 * len(CALIBRATED) :].reshape(3, BINS, -1)
    some = np.where(number > 0, number, np.nan)
    document["reliability"] = {
        "edges": np.linspace(0, 1, BINS + 1),
        "count": number.T,
        "confidence": (confidence / some).T,
        "accuracy": (correct / some).T,
    }
    return document


def step_error(moments: Moments) -> Array:
    """Return the size of what the half-path corrects, (steps,), read off between its states."""
    if not moments.count:
        return np.full(moments.total.shape[1], np.nan)
    corrected, _ = _mean(moments, "entropy_corrected")
    size = np.abs(corrected - moments.mean("entropy"))
    steps, known = np.arange(len(size)), np.isfinite(size)
    return np.interp(steps, steps[known], size[known])


def _mean(moments: Moments, name: str) -> tuple[Array, Array]:
    (row,) = (quantity.row for quantity in CALIBRATED if quantity.name == name)
    n, total, square = moments.count, *moments.calibration[[row, row + len(CALIBRATED)]]
    return total / (n or np.nan), standard_error(n, total, square)
