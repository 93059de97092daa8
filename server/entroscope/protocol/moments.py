"""Sums over trajectories: what batches publish, and all that a curve and its errors need."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The quantities, in bits, per trajectory and noise level. `production` is per unit of ln sigma;
#: `gap` = cross_entropy - entropy; `missed` = fall of the entropy minus integrated production,
#: signed as H_k - H_0 + integral (science.md, section 4: M); `rise` = H_k - H_{k-1};
#: `varentropy`, in bits^2, is the variance of -log p(Y|x) under the posterior itself: what the
#: variance of the gap must be where the sampled labels follow the posterior, rare ones included;
#: `dropped`, a probability, is the posterior mass of the labels that pruning has given up;
#: `chain`, at the root of a tree and 0 elsewhere, is H of the leaves less that of the root and of
#: every decision inside which the trajectory's own label lies; `chain_variance` its variance under
#: the posterior, as `varentropy` is that of the gap.
QUANTITIES = (
    "entropy",
    "cross_entropy",
    "production",
    "varentropy",
    "dropped",
    "chain",
    "chain_variance",
    "gap",
    "missed",
    "rise",
)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of one curve over the trajectories that count for it.

    Attributes:
        n: number of trajectories of each run label, (run labels,), int64.
        total: sum of each quantity, (quantities, steps).
        square: sum of squares, (quantities, steps).
        profile: sum of the entropy by true label, (run labels, steps).
        profile_square: sum of its squares, (run labels, steps).
        calibration: sums of data paths, (rows of calibration.py, steps); no rows on model paths.
    """

    n: NDArray[np.int64]
    total: Array
    square: Array
    profile: Array
    profile_square: Array
    calibration: Array

    @classmethod
    def of(
        cls,
        table: Array,
        labels: NDArray[np.int64],
        num_labels: int,
        calibration: Array | None = None,
    ) -> Self:
        """Sum values per trajectory.

        Args:
            table: (quantities, steps, batch), NaN in all of a trajectory that does not count.
            labels: (batch,), position of each trajectory's label among the run labels.
            calibration: as kept.
        """
        nothing = np.zeros((0, table.shape[1]))
        counts = np.isfinite(table[0, 0])
        own, table = labels[counts], table[:, :, counts]
        member = (own == np.arange(num_labels)[:, None]).astype(np.float64)  # (labels, batch)
        return cls(
            n=np.bincount(own, minlength=num_labels).astype(np.int64),
            total=table.sum(2),
            square=np.square(table).sum(2),
            profile=member @ table[0].T,
            profile_square=member @ np.square(table[0]).T,
            calibration=nothing if calibration is None else calibration,
        )

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(*(getattr(self, f) + getattr(other, f) for f in FIELDS))

    @property
    def count(self) -> int:
        """Trajectories that count."""
        return int(self.n.sum())

    def mean(self, quantity: str) -> Array:
        """Return the mean of a quantity at every noise level; NaN without trajectories."""
        row: Array = self.total[QUANTITIES.index(quantity)]
        return row / (self.count or np.nan)

    def error(self, quantity: str) -> Array:
        """Return the standard error of that mean; NaN below two trajectories."""
        row = QUANTITIES.index(quantity)
        return standard_error(self.count, self.total[row], self.square[row])


FIELDS = ("n", "total", "square", "profile", "profile_square", "calibration")


def standard_error(n: int, total: Array, square: Array) -> Array:
    """Return the standard error of a mean from n, the sum and the sum of squares."""
    if n < 2:
        return np.full(np.shape(total), np.nan)
    variance = np.maximum(square - total**2 / n, 0) / (n - 1)
    return np.sqrt(variance / n)


def merged(parts: Iterable[Moments]) -> Moments:
    """Return the sum of at least one Moments."""
    first, *rest = parts
    for part in rest:
        first = first + part
    return first
