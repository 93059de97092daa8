"""Sums over trajectories: what batches publish, and all that a curve and its errors need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.estimation.companions import CompanionSums
from entroscope.protocol.quantities import BY_NAME, COMBINED, ENTROPY, MISSED, Quantity

Array = NDArray[np.float64]

#: Quantities whose products with the control variates are kept.
CONTROLLED = (*COMBINED, MISSED)
#: Quantities whose products with M are kept, with how many levels before that M is.
LAGGED = (*((quantity, lag) for quantity in COMBINED for lag in (0, 1)), (MISSED, 1))

#: Levels, evenly placed, whose M ("missed") serves every other level as a control variate.
CONTROL_NODES = 8
#: Runs of more labels do without the share of each true label as a control variate.
MAX_CONTROL_LABELS = 12
#: Runs of more levels do without control variates: their sums would outgrow all others.
MAX_CONTROL_STEPS = 1024


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of one curve over the trajectories that count for it.

    Attributes:
        n: number of trajectories of each run label, (run labels,), int64.
        total: sum of each of QUANTITIES in its unit, (quantities, steps).
        square: sum of squares, (quantities, steps).
        profile: sum of the entropy by true label, (run labels, steps).
        profile_square: sum of its squares, (run labels, steps).
        calibration: sums of data paths, (rows of calibration.py, steps); no rows on model paths.
        control: sum of the control variates of control_variates.py, (controls,): M at some
            levels, then whether a label is the true one.
        gram: sums of their products, (controls, controls).
        cross: sums of their products with CONTROLLED, (len(CONTROLLED), steps, controls).
        lagged: sums of the products of LAGGED, H_k M_k, H_k M_{k-1} and so on, (len(LAGGED),
            steps).
        companions: what companions say of the curve; None in runs without.
    """

    n: NDArray[np.int64]
    total: Array
    square: Array
    profile: Array
    profile_square: Array
    calibration: Array
    control: Array
    gram: Array
    cross: Array
    lagged: Array
    companions: CompanionSums | None = None

    @classmethod
    def of(
        cls,
        table: Array,
        labels: NDArray[np.int64],
        num_labels: int,
        calibration: Array | None = None,
        companions: CompanionSums | None = None,
    ) -> Self:
        """Sum values per trajectory.

        Args:
            table: (quantities, steps, batch), NaN in all of a trajectory that does not count.
            labels: (batch,), position of each trajectory's label among the run labels.
            calibration, companions: as kept.
        """
        nothing = np.zeros((0, table.shape[1]))
        counts = np.isfinite(table[ENTROPY.row, 0])
        labels, table = labels[counts], table[:, :, counts]
        entropy = table[ENTROPY.row]
        member = (labels == np.arange(num_labels)[:, None]).astype(np.float64)  # (labels, batch)
        controls = _controls(table[MISSED.row], member)
        return cls(
            n=np.bincount(labels, minlength=num_labels).astype(np.int64),
            total=table.sum(2),
            square=np.square(table).sum(2),
            profile=member @ entropy.T,
            profile_square=member @ np.square(entropy).T,
            calibration=nothing if calibration is None else calibration,
            control=controls.sum(1),
            gram=controls @ controls.T,
            cross=table[[quantity.row for quantity in CONTROLLED]] @ controls.T,
            lagged=_lagged(table),
            companions=companions,
        )

    def __add__(self, other: "Moments") -> "Moments":
        parts = (self, other)
        if len(self.control) != len(other.control):  # one of them was written without
            parts = (self.uncontrolled(), other.uncontrolled())
        sums = {f: getattr(parts[0], f) + getattr(parts[1], f) for f in FIELDS}
        companions = None
        if self.companions is not None and other.companions is not None:
            companions = self.companions + other.companions
        return Moments(**sums, companions=companions)

    def uncontrolled(self) -> "Moments":
        """Return the sums without those of control variates."""
        sums = Moments.of_sums({field: getattr(self, field) for field in SUMS})
        return replace(sums, companions=self.companions)

    @classmethod
    def of_sums(cls, sums: Mapping[str, NDArray[Any]]) -> Self:
        """Return the moments that a record holds; early ones lack calibration and controls."""
        steps = sums["total"].shape[1]
        shapes = {
            "control": (0,),
            "gram": (0, 0),
            "cross": (len(CONTROLLED), steps, 0),
            "lagged": (len(LAGGED), steps),
            "calibration": (0, steps),
        }
        none = {field: np.zeros(shape) for field, shape in shapes.items()}
        known = {field: array for field, array in sums.items() if field in FIELDS}
        return cls(**{**none, **known}, companions=CompanionSums.of_arrays(sums))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a record keeps, by name."""
        kept = {} if self.companions is None else self.companions.arrays()
        return {**{field: getattr(self, field) for field in FIELDS}, **kept}

    def by_side(self, label: int) -> "Moments":
        """Return the sums with true labels told apart as one of them and all others."""
        sums = (self.n, self.profile, self.profile_square)
        n, profile, square = (np.stack([s[label], s.sum(0) - s[label]]) for s in sums)
        return replace(self, n=n, profile=profile, profile_square=square)

    @property
    def nodes(self) -> int:
        """How many of the controls are M at some level; the others belong to labels."""
        return min(len(control_levels(self.total.shape[1])), len(self.control))

    @property
    def count(self) -> int:
        """Trajectories that count."""
        return int(self.n.sum())

    def mean(self, quantity: str) -> Array:
        """Return the mean of a quantity at every noise level; NaN without trajectories.

        Args:
            quantity: its name; the mean is in its unit.
        """
        total: Array = self.total[BY_NAME[quantity].row]
        return total / (self.count or np.nan)

    def error(self, quantity: str) -> Array:
        """Return the standard error of that mean; NaN below two trajectories."""
        row = BY_NAME[quantity].row
        return standard_error(self.count, self.total[row], self.square[row])

    def with_controls(self, quantity: Quantity) -> Array:
        """Return the sums of products of one of CONTROLLED with the controls, (steps, controls)."""
        sums: Array = self.cross[CONTROLLED.index(quantity)]
        return sums

    def with_missed(self, quantity: Quantity, lag: int) -> Array:
        """Return the sums of products of one of LAGGED with M so many levels before, (steps,)."""
        sums: Array = self.lagged[LAGGED.index((quantity, lag))]
        return sums


SUMS = ("n", "total", "square", "profile", "profile_square", "calibration")
FIELDS = (*SUMS, "control", "gram", "cross", "lagged")


def control_levels(steps: int) -> NDArray[np.int64]:
    """Return the levels whose M is a control variate of all, from the number of levels alone."""
    if steps > MAX_CONTROL_STEPS:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.linspace(0, steps - 1, CONTROL_NODES + 1).round().astype(np.int64))[1:]


def control_sums(steps: int, num_labels: int) -> int:
    """Return how many sums a curve's control variates take."""
    nodes = len(control_levels(steps))
    controls = nodes + (num_labels if nodes and num_labels <= MAX_CONTROL_LABELS else 0)
    return controls * (1 + controls) + steps * (len(CONTROLLED) * controls + len(LAGGED))


def _controls(missed: Array, member: Array) -> Array:
    """Return the control variates that serve every level, (controls, batch)."""
    levels = control_levels(len(missed))
    labels = member if len(levels) and len(member) <= MAX_CONTROL_LABELS else member[:0]
    return np.concatenate([missed[levels], labels])


def _lagged(table: Array) -> Array:
    missed = table[MISSED.row]
    before = np.concatenate([np.zeros_like(missed[:1]), missed[:-1]])
    products = [table[quantity.row] * (missed, before)[lag] for quantity, lag in LAGGED]
    return np.stack([product.sum(1) for product in products])


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
