"""Sums over trajectories: what batches publish, and all that a curve and its errors need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

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
        total: sum of each quantity, (quantities, steps).
        square: sum of squares, (quantities, steps).
        profile: sum of the entropy by true label, (run labels, steps).
        profile_square: sum of its squares, (run labels, steps).
        calibration: sums of data paths, (rows of calibration.py, steps); no rows on model paths.
        control: sum of the control variates of controls.py, (controls,): M at some levels, then
            whether a label is the true one.
        gram: sums of their products, (controls, controls).
        cross: sums of their products with entropy, production and M, (3, steps, controls).
        lagged: sums of H_k M_k, H_k M_{k-1}, P_k M_k, P_k M_{k-1}, M_k M_{k-1}, (5, steps).
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
        controls = _controls(table[MISSED], member)
        return cls(
            n=np.bincount(own, minlength=num_labels).astype(np.int64),
            total=table.sum(2),
            square=np.square(table).sum(2),
            profile=member @ table[0].T,
            profile_square=member @ np.square(table[0]).T,
            calibration=nothing if calibration is None else calibration,
            control=controls.sum(1),
            gram=controls @ controls.T,
            cross=table[[0, 2, MISSED]] @ controls.T,
            lagged=_lagged(table[0], table[2], table[MISSED]),
        )

    def __add__(self, other: "Moments") -> "Moments":
        parts = (self, other)
        if len(self.control) != len(other.control):  # one of them was written without
            parts = (self.uncontrolled(), other.uncontrolled())
        return Moments(*(getattr(parts[0], f) + getattr(parts[1], f) for f in FIELDS))

    def uncontrolled(self) -> "Moments":
        """Return the sums without those of control variates."""
        return Moments.of_sums({field: getattr(self, field) for field in SUMS})

    @classmethod
    def of_sums(cls, sums: Mapping[str, NDArray[Any]]) -> Self:
        """Return the moments that a record holds; early ones lack calibration and controls."""
        steps = sums["total"].shape[1]
        shapes = {"control": (0,), "gram": (0, 0), "cross": (3, steps, 0), "lagged": (5, steps)}
        shapes["calibration"] = (0, steps)
        none = {field: np.zeros(shape) for field, shape in shapes.items()}
        return cls(**{**none, **sums})

    def by_side(self, label: int) -> "Moments":
        """Return the sums with true labels told apart as one of them and all others."""
        sums = {name: getattr(self, name) for name in ("n", "profile", "profile_square")}
        sides = {k: np.stack([s[label], s.sum(0) - s[label]]) for k, s in sums.items()}
        return replace(self, **sides)

    @property
    def nodes(self) -> int:
        """How many of the controls are M at some level; the others belong to labels."""
        return len(control_levels(self.total.shape[1]))

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


SUMS = ("n", "total", "square", "profile", "profile_square", "calibration")
FIELDS = (*SUMS, "control", "gram", "cross", "lagged")
MISSED = QUANTITIES.index("missed")


def control_levels(steps: int) -> NDArray[np.int64]:
    """Return the levels whose M is a control variate of all, from the number of levels alone."""
    if steps > MAX_CONTROL_STEPS:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.linspace(0, steps - 1, CONTROL_NODES + 1).round().astype(np.int64))[1:]


def control_sums(steps: int, num_labels: int) -> int:
    """Return how many sums a curve's control variates take."""
    nodes = len(control_levels(steps))
    controls = nodes + (num_labels if nodes and num_labels <= MAX_CONTROL_LABELS else 0)
    return controls * (1 + controls) + steps * (3 * controls + 5)


def _controls(missed: Array, member: Array) -> Array:
    """Return the control variates that serve every level, (controls, batch)."""
    levels = control_levels(len(missed))
    labels = member if len(levels) and len(member) <= MAX_CONTROL_LABELS else member[:0]
    return np.concatenate([missed[levels], labels])


def _lagged(entropy: Array, production: Array, missed: Array) -> Array:
    before = np.concatenate([np.zeros_like(missed[:1]), missed[:-1]])
    pairs = ((entropy, missed), (entropy, before), (production, missed), (production, before))
    return np.stack([(a * b).sum(1) for a, b in (*pairs, (missed, before))])


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
