"""The best estimate of a curve: corrected for the steps, then with control variates.

With X the quantity and its controls (control_variates.py) and Delta their paired differences to the
companions (companions.py), X + Delta is free of the first-order error of the steps: so corrected, M
and the shares of the labels have means that are known. The estimate is the generalised least
squares one: the mean of the quantity less the slopes times what the means of the controls are off,
the slopes from the covariance of the corrected means,

    S = cov(X) / n + cov(Delta) / n' + (cov(X, Delta) + its transpose) / n,

n trajectories of which n' have a companion. Its variance is what S leaves unexplained.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.estimation.companions import PAIRED, CompanionSums
from entroscope.measurement.curves.estimation.control_variates import (
    TRAJECTORIES_PER_CONTROL,
    Controls,
    pseudo_inverse,
)
from entroscope.measurement.curves.moments import Moments, control_levels
from entroscope.protocol.quantities import Quantity

Array = NDArray[np.float64]

#: Trajectories that every control must have among those that carry the mean (Kish's count).
CARRIERS_PER_CONTROL = 3
#: Companions that every control must have, among those whose values are kept.
COMPANIONS_PER_CONTROL = 3
#: What is left of the steps is reported as a third of the noise it was measured with at least.
LEAST_SHARE = 1 / 3
#: Standard errors from which on it counts as seen.
SEEN = 1.96
#: What (X + Delta) less the same one level coarser is, in units of the error of the former: a
#: second-order error falls fourfold, and 4 - 1 = 3.
REST_RATIO = 3.0


@dataclass(frozen=True, slots=True)
class Best:
    """An estimate over noise levels, each array (steps,).

    Attributes:
        mean: corrected, after regression.
        error: its standard error, all noise together.
        step_error: what the steps may have left in it.
        rest: the same with its sign, as it was seen.
        slopes: (steps, controls), of each control; 0 where it is not used.
    """

    mean: Array
    error: Array
    step_error: Array
    rest: Array
    slopes: Array


def best_estimate(
    moments: Moments, companions: CompanionSums, quantity: Quantity, prior: Array | None
) -> Best:
    """Return the best estimate of entropy or production.

    Args:
        prior: (run labels,), probability of each true label inside the curve's partition; None
            where the means of the controls are not known: then it is corrected, and no more.
    """
    controls = Controls.of(moments, quantity.name, _known(moments, prior))
    pairs = _Pairs.of(companions, quantity, controls.nodes, controls.labels)
    sizes = [] if prior is None else _sizes(moments, controls, pairs)
    best = _solved(moments, controls, pairs, np.zeros(0, dtype=np.int64))
    bearable = _effective_count(moments, quantity) / CARRIERS_PER_CONTROL
    for columns in sizes:
        other = _solved(moments, controls, pairs, columns)
        use = bearable >= len(columns)
        best = Best(
            *(_chosen(use, *both) for both in zip(_fields(other), _fields(best), strict=True))
        )
    return best


def _known(moments: Moments, prior: Array | None) -> Array:
    return np.zeros(len(moments.n)) if prior is None else prior


def _fields(best: Best) -> tuple[Array, ...]:
    return best.mean, best.error, best.step_error, best.rest, best.slopes


def _chosen(use: NDArray[np.bool_], one: Array, other: Array) -> Array:
    return np.asarray(np.where(use if one.ndim == 1 else use[:, None], one, other))


def _effective_count(moments: Moments, quantity: Quantity) -> Array:
    """Return (sum x)^2 / sum x^2, how many trajectories carry the mean, (steps,).

    Where few of them do, slopes fit those few.
    """
    total, square = moments.total[quantity.row], moments.square[quantity.row]
    return np.asarray(np.square(total) / np.where(square > 0, square, np.inf))


def _sizes(moments: Moments, controls: Controls, pairs: "_Pairs") -> list[NDArray[np.int64]]:
    """Return the sets of controls that the trajectories bear, smaller ones first."""
    count, nodes = controls.offset.shape[1], controls.nodes
    own = np.array([count - 2, count - 1])
    every = np.arange(count)
    sets = [own, np.concatenate([every[:nodes], own]), every]
    most = min(moments.count // TRAJECTORIES_PER_CONTROL, pairs.kept // COMPANIONS_PER_CONTROL)
    return [columns for columns in sets if len(columns) <= most]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Quantity (first) and controls of the companions: (steps, 1 + controls, kept) each.

    Attributes:
        x, delta: of the sample; rest: of the sample that has it.
        mean: (steps, 1 + controls), of Delta over all companions.
        variance, covariance: (steps,), of Delta of the quantity and with it, over all companions.
        count: companions; rest_mean, rest_variance, rest_count: of Rest of the quantity.
    """

    x: Array
    delta: Array
    rest: Array
    mean: Array
    variance: Array
    covariance: Array
    count: int
    rest_mean: Array
    rest_variance: Array
    rest_count: int

    @property
    def kept(self) -> int:
        return int(self.x.shape[2])

    @classmethod
    def of(cls, companions: CompanionSums, quantity: Quantity, nodes: int, labels: int) -> "_Pairs":
        row, n = PAIRED.index(quantity), companions.count
        sums = companions.delta
        x, product = companions.with_delta[:, row]
        mean = sums[row] / max(n, 1)
        spare = max(n - 1, 1)
        rest_n = int(companions.rest_n[0])
        rest, rest_square = companions.rest[:, row]
        rest_mean = rest / max(rest_n, 1)
        levels = control_levels(companions.delta.shape[1])[:nodes]
        member = companions.sample_label == np.arange(labels)[:, None]
        sample = companions.sample.astype(np.float64)
        nothing = np.zeros_like(member, dtype=np.float64)
        means = _stacked(sums[:, :, None] / max(n, 1), np.zeros((labels, 1)), row, levels)[:, :, 0]
        return cls(
            x=_stacked(sample[0], member.astype(np.float64), row, levels),
            delta=_stacked(sample[1], nothing, row, levels),
            rest=_stacked(
                companions.sample_rest.astype(np.float64),
                np.zeros((labels, companions.sample_rest.shape[-1])),
                row,
                levels,
            ),
            mean=means,
            variance=np.maximum(companions.delta_square[row] - n * mean**2, 0) / spare,
            covariance=(product - x * mean) / spare,
            count=n,
            rest_mean=rest_mean,
            rest_variance=np.maximum(rest_square - rest_n * rest_mean**2, 0) / max(rest_n - 1, 1),
            rest_count=rest_n,
        )


def _stacked(values: Array, member: Array, row: int, nodes: NDArray[np.int64]) -> Array:
    """Return a quantity and its controls at every level, (steps, 1 + controls, batch).

    Args:
        values: (PAIRED, steps, batch), the last of PAIRED is M; member: (labels, batch).
        nodes: levels whose M serves every level.
    """
    steps, missed = values.shape[1], values[-1]
    before = np.concatenate([np.zeros_like(missed[:1]), missed[:-1]])
    shared = np.concatenate([missed[nodes], member])
    repeated = np.broadcast_to(shared, (steps, *shared.shape))
    return np.concatenate(
        [values[row][:, None], repeated, missed[:, None], before[:, None]], axis=1
    )


def _solved(
    moments: Moments, controls: Controls, pairs: _Pairs, columns: NDArray[np.int64]
) -> Best:
    """Return the estimate with some of the controls."""
    n, m = moments.count, max(pairs.count, 1)
    slopes = np.zeros_like(controls.offset)
    rank = np.zeros(len(slopes), dtype=np.int64)
    if len(columns):
        slopes[:, columns], rank = _slopes(controls, pairs, columns, n, m)
    offset = controls.offset + pairs.mean[:, 1:]
    mean = controls.mean + pairs.mean[:, 0] - (slopes * offset).sum(1)
    left = controls.variance - 2 * (slopes * controls.with_y).sum(1)
    left += np.einsum("ki,kij,kj->k", slopes, controls.products, slopes)
    variance, covariance = pairs.variance, pairs.covariance
    if len(columns):
        variance, covariance = _residual_spread(pairs, slopes)
    noise = np.maximum(left, 0) / np.maximum(n - 1 - rank, 1) + 2 * covariance / n
    freedom = np.maximum(pairs.kept - rank, 1)
    noise += variance / m * np.where(rank > 0, (pairs.kept - 1) / np.maximum(freedom - 1, 1), 1)
    # Slopes that were estimated cost noise of their own, by half of what all of the companions'
    # freedom would (between the trajectories' and the companions').
    noise *= 1 + 0.5 * rank / freedom
    rest, unseen = _rest(pairs, slopes, columns)
    seen = np.sqrt(np.maximum(np.square(rest) - np.square(SEEN * unseen), 0))
    step_error = np.maximum(seen, LEAST_SHARE * unseen)
    return Best(mean, np.sqrt(np.maximum(noise, 0)), step_error, rest, slopes)


def _slopes(
    controls: Controls, pairs: _Pairs, columns: NDArray[np.int64], n: int, m: int
) -> tuple[Array, NDArray[np.int64]]:
    x = pairs.x - pairs.x.mean(2, keepdims=True)
    delta = pairs.delta - pairs.delta.mean(2, keepdims=True)
    both, kept = 1 + columns, pairs.kept
    own = delta[:, both] @ delta[:, both].transpose(0, 2, 1) / kept
    mixed = x[:, both] @ delta[:, both].transpose(0, 2, 1) / kept
    spread = controls.products[:, columns][:, :, columns] / n + own / m
    spread = spread + (mixed + mixed.transpose(0, 2, 1)) / n
    with_y = controls.with_y[:, columns] / n
    with_y = with_y + np.einsum("kin,kn->ki", delta[:, both], delta[:, 0]) / kept / m
    crossed = np.einsum("kin,kn->ki", x[:, both], delta[:, 0])
    crossed += np.einsum("kin,kn->ki", delta[:, both], x[:, 0])
    with_y = with_y + crossed / kept / n
    inverse, rank = pseudo_inverse(spread, scale=1 / n)
    return np.einsum("kij,kj->ki", inverse, with_y), rank


def _residual_spread(pairs: _Pairs, slopes: Array) -> tuple[Array, Array]:
    """Return variance of Delta and its covariance with X, both less the slopes times controls."""
    x = pairs.x[:, 0] - np.einsum("ki,kin->kn", slopes, pairs.x[:, 1:])
    delta = pairs.delta[:, 0] - np.einsum("ki,kin->kn", slopes, pairs.delta[:, 1:])
    x = x - x.mean(1, keepdims=True)
    centred = delta - delta.mean(1, keepdims=True)
    spare = max(pairs.kept - 1, 1)
    return np.square(centred).sum(1) / spare, (x * centred).sum(1) / spare


def _rest(pairs: _Pairs, slopes: Array, columns: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return what a second-order error may have left, and the standard error of that."""
    mean, variance, count = pairs.rest_mean, pairs.rest_variance, pairs.rest_count
    if len(columns) and pairs.rest.shape[2] > 1:
        rest = pairs.rest[:, 0] - np.einsum("ki,kin->kn", slopes, pairs.rest[:, 1:])
        mean, variance, count = rest.mean(1), rest.var(1, ddof=1), rest.shape[1]
    return mean / REST_RATIO, np.sqrt(variance / max(count, 1)) / REST_RATIO
