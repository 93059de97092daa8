"""What companions say of a curve: sums and a sample of differences (guide: Error of the steps).

X are entropy, production and M (PAIRED, in this order) of a trajectory; Delta = X - X of its
companion at the levels of the companion, interpolated in ln sigma between them. Steps cost an error
of first order, so that X + Delta has lost most of it. Rest = (X + Delta) less the same of the
companion and its own companion: a third of it is what a second-order error leaves in X + Delta.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.quantities import ENTROPY, MISSED, PRODUCTION, Quantity

Array = NDArray[np.float64]

PAIRED = (ENTROPY, PRODUCTION, MISSED)
#: Those of them that windows, which are read off production, are resampled from.
BLOCKED = (PRODUCTION, MISSED)
#: Curves of a run up to which each has its blocks.
MOST_BLOCKED = 64
#: Blocks of trajectories whose means are kept apart, for errors of what is no mean.
BLOCKS = 16
#: Bytes of the paired values of one batch, over all curves, that covariances are estimated from.
SAMPLE_BYTES = 2**20
#: What the names of these sums begin with in a record.
PREFIX = "companion_"
#: Sums by true label: Delta H, its square, H of the same trajectories, H^2, H times Delta H.
BY_LABEL = 5


@dataclass(frozen=True, slots=True)
class CompanionSums:
    """Sums of one curve over the trajectories that count for it, by block and by label.

    Attributes:
        block_n: (BLOCKS, run labels), trajectories.
        block: (2, BLOCKS, BLOCKED, steps), float32, sums of X and of Delta by block; nothing where
            a run has many curves.
        delta_n: (BLOCKS,), those with a companion.
        delta, delta_square: (PAIRED, steps), sums of Delta and of its square.
        with_delta: (2, PAIRED, steps), sums of X and of X times Delta over those with a companion.
        label_n: (run labels,), those with a companion.
        by_label: (BY_LABEL, run labels, steps).
        rest_n: (1,), those whose companion has one.
        rest: (2, PAIRED, steps), sums of Rest and of its square.
        sample: (2, PAIRED, steps, kept), float32, X and Delta of some trajectories.
        sample_label: (kept,), position of their label among the run labels.
        sample_rest: (PAIRED, steps, kept), float32, Rest of some trajectories.
    """

    block_n: Array
    block: NDArray[np.float32]
    delta_n: Array
    delta: Array
    delta_square: Array
    with_delta: Array
    label_n: Array
    by_label: Array
    rest_n: Array
    rest: Array
    sample: NDArray[np.float32]
    sample_label: NDArray[np.int32]
    sample_rest: NDArray[np.float32]

    def __add__(self, other: "CompanionSums") -> "CompanionSums":
        joined = {
            field.name: np.concatenate([a, b], axis=-1) if field.name in SAMPLES else a + b
            for field in fields(self)
            for a, b in [(getattr(self, field.name), getattr(other, field.name))]
        }
        return type(self)(**joined)

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self | None:
        """Return the sums that a record holds, by the names of `arrays`; None where it has none."""
        names = [field.name for field in fields(cls)]
        if any(PREFIX + name not in arrays for name in names):
            return None
        return cls(**{name: arrays[PREFIX + name] for name in names})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a record keeps, by name."""
        return {PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def count(self) -> int:
        """Trajectories that have a companion."""
        return int(self.delta_n.sum())

    def of_quantity(self, quantity: Quantity) -> "Delta":
        """Return the sums of one of PAIRED."""
        row = PAIRED.index(quantity)
        delta, square = self.delta[row], self.delta_square[row]
        return Delta(self.count, delta, square, *self.with_delta[:, row])

    def of_label(self, label: int) -> "Delta":
        """Return the sums of the entropy over the trajectories of one label."""
        delta, square, x, _, product = self.by_label[:, label]
        return Delta(int(self.label_n[label]), delta, square, x, product)


#: Fields that are joined along their last axis; all others are added.
SAMPLES = frozenset({"sample", "sample_label", "sample_rest"})


@dataclass(frozen=True, slots=True)
class PairedValues:
    """Values of the trajectories of one batch that count for a curve.

    Attributes:
        x: (PAIRED, steps, batch).
        labels, blocks: (batch,).
        depth: (batch,), how many companions each has, 0 to 2.
        delta: (PAIRED, steps, trajectories of depth 1 or more).
        rest: (PAIRED, steps, trajectories of depth 2).
    """

    x: Array
    labels: NDArray[np.int64]
    blocks: NDArray[np.int64]
    depth: NDArray[np.int64]
    delta: Array
    rest: Array

    def sums(self, num_labels: int, curves: int) -> CompanionSums:
        """Return their sums.

        Args:
            curves: how many curves share SAMPLE_BYTES.
        """
        sample = SAMPLE_BYTES // (4 * 2 * len(PAIRED) * self.x.shape[1] * curves)
        has, has_rest = self.depth > 0, self.depth > 1
        member = (self.labels == np.arange(num_labels)[:, None]).astype(np.float64)
        block = (self.blocks == np.arange(BLOCKS)[:, None]).astype(np.float64)
        fine, entropy = self.x[:, :, has], self.x[0][:, has]
        delta_h = self.delta[0]
        rows = [PAIRED.index(quantity) for quantity in BLOCKED if curves <= MOST_BLOCKED]
        blocks = np.stack(
            [
                np.einsum("bn,qkn->bqk", block, self.x[rows]),
                np.einsum("bn,qkn->bqk", block[:, has], self.delta[rows]),
            ]
        )
        pieces = (delta_h, delta_h**2, entropy, entropy**2, entropy * delta_h)
        return CompanionSums(
            block_n=block @ member.T,
            block=blocks.astype(np.float32),
            delta_n=block[:, has].sum(1),
            delta=self.delta.sum(2),
            delta_square=np.square(self.delta).sum(2),
            with_delta=np.stack([fine.sum(2), (fine * self.delta).sum(2)]),
            label_n=member[:, has].sum(1),
            by_label=np.stack([member[:, has] @ piece.T for piece in pieces]),
            rest_n=np.array([has_rest.sum()], dtype=np.float64),
            rest=np.stack([self.rest.sum(2), np.square(self.rest).sum(2)]),
            sample=np.stack([fine, self.delta])[..., :sample].astype(np.float32),
            sample_label=self.labels[has][:sample].astype(np.int32),
            sample_rest=self.rest[..., :sample].astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class Delta:
    """Sums of one quantity over companions: how many; Delta, its square, X, X Delta, (steps,)."""

    count: int
    delta: Array
    square: Array
    x: Array
    product: Array

    def added_to(self, n: int, total: Array, square: Array) -> tuple[Array, Array]:
        """Return mean and standard error of X + Delta, each (steps,), without control variates.

        The error counts what the mean of X, over n trajectories, and that of Delta, over those with
        a companion, have in common.

        Args:
            total, square: (steps,), sums of X and of its square over all n.
        """
        m, mean = self.count, self.delta / self.count
        alone = np.maximum(square - total**2 / n, 0) / max(n - 1, 1)
        spread = np.maximum(self.square - m * mean**2, 0) / max(m - 1, 1)
        shared = (self.product - self.x * mean) / max(m - 1, 1)
        variance = alone / n + spread / m + 2 * shared / n
        return total / n + mean, np.sqrt(np.maximum(variance, 0))


def companion_sums(curves: int, steps: int, num_labels: int) -> int:
    """Return how many sums each curve has from companions, in units of 8 bytes; samples aside."""
    blocks = BLOCKS * len(BLOCKED) * steps if curves <= MOST_BLOCKED else 0
    counts = BLOCKS * (num_labels + 1) + num_labels + 1
    return blocks + counts + (6 * len(PAIRED) + BY_LABEL * num_labels) * steps


def between_levels(values: Array, levels: NDArray[np.int64], sigmas: Array) -> Array:
    """Return values at some levels of a grid, linear in ln sigma, at all of them.

    Args:
        values: (..., levels, batch); levels: places in the grid, its ends among them.
        sigmas: (steps,), decreasing.
    Returns:
        (..., steps, batch).
    """
    times = -np.log(sigmas)
    places = np.arange(len(sigmas))
    below = np.clip(np.searchsorted(levels, places, side="right") - 1, 0, len(levels) - 2)
    width = times[levels[below + 1]] - times[levels[below]]
    share = ((times - times[levels[below]]) / width)[:, None]
    lower, upper = values[..., below, :], values[..., below + 1, :]
    return np.asarray((1 - share) * lower + share * upper)
