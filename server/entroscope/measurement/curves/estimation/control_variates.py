"""Control variates: means of known value that take noise out of a curve (guide: Production).

M_k = H_k - H_0 + integral of production has mean 0 up to the error of the steps, and so has it at
every earlier level; the share of each true label is known as well. Regressing a quantity on them
removes what they explain of its spread, at no evaluation.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import Moments
from entroscope.protocol.quantities import BY_NAME, MISSED

Array = NDArray[np.float64]

#: Trajectories that every control must have: fewer fit the noise instead of removing it.
TRAJECTORIES_PER_CONTROL = 10
#: M at the level itself and at the one before; used with every level's own nodes.
OWN = 2
#: Share of the spread of all controls below which a direction is rounding.
RANK_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Combined:
    """A mean after regression on its controls, with the standard error of what is left: (steps,)"""

    mean: Array
    error: Array


@dataclass(frozen=True, slots=True)
class Controls:
    """A quantity and its control variates at every level; the last two controls are M at the level
    and at the one before.

    Attributes:
        mean, variance: (steps,), of the quantity per trajectory.
        products: (steps, controls, controls), covariances; with_y: (steps, controls), theirs with
            the quantity.
        offset: (steps, controls), what the means of the controls are off.
        nodes: how many controls are M at some level; labels: how many belong to labels.
    """

    mean: Array
    variance: Array
    products: Array
    with_y: Array
    offset: Array
    nodes: int
    labels: int

    @classmethod
    def of(cls, moments: Moments, quantity: str, prior: Array) -> Self:
        """Args: prior: (run labels,), probability of each true label inside the partition."""
        products, with_y, offset = _centred(moments, quantity, prior)
        mean = moments.mean(quantity)
        variance = moments.square[BY_NAME[quantity].row] / moments.count - mean**2
        nodes = moments.nodes
        return cls(mean, variance, products, with_y, offset, nodes, len(moments.control) - nodes)


def combined(moments: Moments, quantity: str, prior: Array) -> Combined:
    """Return the mean of one of COMBINED, by its name, at every level after regression.

    With too few trajectories for any control it is the plain mean.

    Args:
        prior: (run labels,), probability of each true label inside the curve's partition.
    """
    n, used = moments.count, _used(moments)
    if not used:
        return Combined(moments.mean(quantity), moments.error(quantity))
    controls = Controls.of(moments, quantity, prior)
    every = controls.offset.shape[1]
    columns = [*range(used - OWN), *range(every - OWN, every)]
    inverse, rank = pseudo_inverse(controls.products[:, columns][:, :, columns])
    slopes = np.einsum("kij,kj->ki", inverse, controls.with_y[:, columns])
    explained = np.einsum("ki,ki->k", slopes, controls.with_y[:, columns])
    left = np.maximum(controls.variance - explained, 0)
    shift = np.einsum("ki,ki->k", slopes, controls.offset[:, columns])
    return Combined(controls.mean - shift, np.sqrt(left / (n - 1 - rank)))


def _used(moments: Moments) -> int:
    """Return how many controls the trajectories bear: M's own, with all nodes, with the labels."""
    nodes, every = moments.nodes, len(moments.control)
    afforded = moments.count // TRAJECTORIES_PER_CONTROL
    fitting = [size for size in (OWN, OWN + nodes, OWN + every) if size <= afforded]
    return fitting[-1] if fitting and every else 0


def _centred(moments: Moments, quantity: str, prior: Array) -> tuple[Array, Array, Array]:
    """Return covariances of the controls, theirs with the quantity, and what their means are off.

    Returns:
        (steps, controls, controls), (steps, controls), (steps, controls); the last two controls
        are M at the level and at the one before.
    """
    n, nodes = moments.count, moments.nodes
    missed = moments.mean("missed")
    before = np.concatenate([[0.0], missed[:-1]])
    shared = np.tile(moments.control / n, (len(missed), 1))
    means = np.concatenate([shared, np.stack([missed, before], 1)], 1)
    products = _products(moments) / n - means[:, :, None] * means[:, None]
    y = BY_NAME[quantity]
    with_level = np.stack([moments.with_missed(y, lag) for lag in range(OWN)], 1)
    with_y = np.concatenate([moments.with_controls(y), with_level], 1) / n
    known = np.zeros_like(means)
    known[:, nodes : len(moments.control)] = prior[: len(moments.control) - nodes]
    return products, with_y - means * moments.mean(quantity)[:, None], means - known


def _products(moments: Moments) -> Array:
    """Return the sums of products of all controls, (steps, controls, controls)."""
    steps, shared = moments.total.shape[1], len(moments.control)
    square = moments.square[MISSED.row]
    at_level = moments.with_controls(MISSED)  # (steps, shared)
    at_before = np.concatenate([np.zeros((1, shared)), at_level[:-1]])
    products = np.zeros((steps, shared + OWN, shared + OWN))
    products[:, :shared, :shared] = moments.gram
    products[:, :shared, shared] = products[:, shared, :shared] = at_level
    products[:, :shared, shared + 1] = products[:, shared + 1, :shared] = at_before
    products[:, shared, shared] = square
    products[1:, shared + 1, shared + 1] = square[:-1]
    products[:, shared, shared + 1] = products[:, shared + 1, shared] = moments.with_missed(
        MISSED, 1
    )
    return products


def pseudo_inverse(spread: Array, scale: float = 1.0) -> tuple[Array, NDArray[np.int64]]:
    """Return the pseudo-inverse of each covariance, (steps, q, q), and its rank, (steps,).

    Args:
        scale: what a variance of 1 per trajectory is in it.
    """
    deviation = np.sqrt(np.maximum(np.einsum("kii->ki", spread), 0))
    least = RANK_TOLERANCE * np.sqrt(scale)
    units = np.where(deviation > least, 1 / np.maximum(deviation, least), 0)
    values, vectors = np.linalg.eigh(units[:, :, None] * spread * units[:, None])
    real = values > RANK_TOLERANCE * np.maximum(values[:, -1:], 1)
    inverses = np.where(real, 1 / np.where(real, values, 1), 0)
    whole = np.einsum("kim,km,kjm->kij", vectors, inverses, vectors)
    return units[:, :, None] * whole * units[:, None], real.sum(1)
