"""Companions of a batch: some of its paths again, on coarser levels and the same noise.

A companion starts at the same state and label and goes a -> m -> b in one step, with the noise of
the fine path (guide: Error of the steps). Its kernels are twice as long: what the two differ by is
the error of the steps.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.estimation.companions import (
    BLOCKS,
    CompanionSums,
    PairedValues,
    between_levels,
)
from entroscope.measurement.curves.estimation.integral import integral_weights
from entroscope.measurement.plan.complement import is_complement_run
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import CROSS_ENTROPY, ENTROPY, MISSED, PRODUCTION
from entroscope_workers.numerics.noise import Noise
from entroscope_workers.numerics.reverse_step import joined_noise
from entroscope_workers.sampling.chain import Chain
from entroscope_workers.sampling.complement_chain import ComplementChain
from entroscope_workers.sampling.curve_table import CurveTable
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.path_noise import path_noise
from entroscope_workers.sampling.pruning import Kept

Array = NDArray[np.float64]


class CompanionNoise:
    """The noise of paths as their companions take it: of several steps, joined into one."""

    def __init__(self, noise: Noise, sigmas: Sequence[float], levels: Sequence[int]) -> None:
        """Args: sigmas: of the fine paths; levels: the places among them that companions take."""
        self._noise, self._sigmas, self._levels = noise, sigmas, levels
        self._step = -1  # before the state at the highest level was drawn

    def uniforms(self, count: int) -> Tensor:
        """Return those of the paths."""
        return self._noise.uniforms(count)

    def normals(self) -> Tensor:
        """Return the normals of the start, then those of each step."""
        self._step += 1
        if self._step == 0:
            return self._noise.normals()
        first, last = self._levels[self._step - 1 : self._step + 1]
        normals = [self._noise.normals() for _ in range(first, last)]
        return joined_noise(self._sigmas[first : last + 1], normals)


class Companions:
    """The companions of a batch, to be sampled after it.

    Attributes:
        evaluations: those taken so far.
    """

    def __init__(
        self, plan: Plan, bound: LoadedModel, trajectories: Sequence[int], pool: Executor
    ) -> None:
        self._plan, self._bound, self._pool = plan, bound, pool
        self._trajectories = np.asarray(trajectories, dtype=np.int64)
        self._depth = plan.companion_depth(trajectories)
        self._values: list[Array] = []  # (curves, PAIRED, levels, companions), by depth
        self.evaluations = 0

    def steps(self, kept: Sequence[Kept]) -> Iterator[int]:
        """Sample them; yield the evaluations of each step.

        Args:
            kept: what pruning has left at each step of the batch, where it was pruned: a companion
                keeps what its trajectory keeps.
        """
        for depth, levels in enumerate(self._plan.companion_levels):
            rows = np.flatnonzero(self._depth > depth)
            if not len(rows):
                return
            follow = [kept[level].of(rows.tolist()) for level in levels] if kept else None
            chain = self._chain(self._trajectories[rows].tolist(), levels, follow)
            values = []
            for measured in chain.steps():
                values.append(measured.values[:, [ENTROPY.row, PRODUCTION.row]])
                self.evaluations += measured.evaluations
                yield measured.evaluations
            self._values.append(self._with_missed(np.stack(values, 2), levels))

    def _chain(
        self, trajectories: list[int], levels: Sequence[int], kept: list[Kept] | None
    ) -> Chain | ComplementChain:
        plan, bound = self._plan.at_levels(levels), self._bound
        fine = path_noise(self._plan, bound, trajectories, self._pool)
        noise = CompanionNoise(fine, [float(sigma) for sigma in self._plan.sigmas], levels)
        if is_complement_run(plan.spec):
            return ComplementChain(plan, bound, noise, trajectories)
        return Chain(plan, bound, noise, kept=kept)

    def _with_missed(self, values: Array, levels: Sequence[int]) -> Array:
        """Return entropy, production and M, (curves, PAIRED, levels, batch), of the first two."""
        entropy, production = values[:, 0], values[:, 1]
        cuts = [place for place, level in enumerate(levels) if level in self._plan.edges]
        weights = integral_weights(self._plan.sigmas[list(levels)], cuts)
        missed = entropy - entropy[:, :1] + np.einsum("kl,cln->ckn", weights, production)
        return np.stack([entropy, production, missed], 1)

    def sums(
        self, curve: int, table: CurveTable, truths: NDArray[np.int64], num_truths: int
    ) -> CompanionSums:
        """Return the sums of a curve.

        Args:
            table: of the batch, finished.
            truths: (batch,), position of each trajectory's true label.
        """
        plan, depth = self._plan, self._depth
        counts = np.isfinite(table.values[CROSS_ENTROPY.row, 0])
        x = table.values[[ENTROPY.row, PRODUCTION.row, MISSED.row]]  # (PAIRED, steps, batch)
        estimates, rows = [x], [np.arange(len(depth))]
        for deep, values in enumerate(self._values):
            rows.append(np.flatnonzero(depth > deep))
            levels = np.array(plan.companion_levels[deep])
            estimates.append(between_levels(values[curve], levels, plan.sigmas))
        deltas = self._deltas(estimates, rows)
        nothing = np.zeros((*x.shape[:2], 0))
        delta, rest = deltas[0] if deltas else nothing, nothing
        if len(deltas) > 1:
            inside = np.isin(rows[1], rows[2])
            rest = self._between(
                x[:, :, rows[2]] + delta[..., inside] - estimates[1][..., inside] - deltas[1], 1
            )
        return PairedValues(
            x=x[:, :, counts],
            labels=truths[counts],
            blocks=self._blocks()[counts],
            depth=depth[counts],
            delta=delta[:, :, counts[depth > 0]],
            rest=rest[:, :, counts[depth > 1]],
        ).sums(num_truths, len(plan.curves))

    def _deltas(self, estimates: list[Array], rows: list[NDArray[np.int64]]) -> list[Array]:
        """Return Delta of the trajectories, then of their companions, at all levels."""
        deltas = []
        for depth, (fine, coarse) in enumerate(pairwise(estimates)):
            inside = np.isin(rows[depth], rows[depth + 1])
            deltas.append(self._between(fine[..., inside] - coarse, depth))
        return deltas

    def _between(self, values: Array, depth: int) -> Array:
        """Return values at the levels of companions, interpolated at all levels."""
        levels = np.array(self._plan.companion_levels[depth])
        return between_levels(values[..., levels, :], levels, self._plan.sigmas)

    def _blocks(self) -> NDArray[np.int64]:
        """Return the block of each trajectory; every block has the same share of companions."""
        share = self._plan.companion_share
        size = max(1, round(1 / share)) if share else 1
        return self._trajectories // self._plan.turns // size % BLOCKS
