"""A batch of pairs on its way down the noise levels: two evaluations a path and level.

Each trajectory belongs to one class and to one side, the class or its complement, and counts for
that class's curve alone (science.md, section 5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.plan.complement import has_sides, is_consistent
from entroscope.measurement.plan.plan import Plan
from entroscope_workers.models.base import NO_LABEL, Model
from entroscope_workers.numerics.complement import other_labels, rebuilt_apart
from entroscope_workers.numerics.kernels import (
    Kernel,
    kernel_mean,
    log_likelihoods,
    reverse_kernel,
)
from entroscope_workers.numerics.noise import TrajectoryNoise
from entroscope_workers.numerics.posterior import Grouping
from entroscope_workers.sampling.block import Reading
from entroscope_workers.sampling.call_sizes import slice_pairs
from entroscope_workers.sampling.chain import Measured
from entroscope_workers.sampling.quantities import Scored, curve_values

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Denoised:
    """What some rows need at one noise level, each (rows, *data).

    Attributes:
        own: D_c of the class of the pair.
        free: D_u - D_c.
        rest: D_rest - D_c, rebuilt.
        moved: what moves the state, less D_c.
        evaluations: pairs (row, label) that it took.
    """

    own: Tensor
    free: Tensor
    rest: Tensor
    moved: Tensor
    evaluations: int


class PairChain:
    """A batch of trajectories on its way from sigma_max to sigma_min, scored in pairs.

    Attributes:
        x: (batch, *data), states at the present noise level.
        label: (batch,), the class of each pair, a position among the run labels.
        is_own: (batch,), whether the trajectory is on the side of the class.
        own: (batch,), each trajectory's true label, the number of run labels for "the rest".
        log_odds: (batch,), float64, ln p/(1 - p) of the class under the prior of the pair.
        step: index of the present noise level.
        true_log_odds: the same of the class against the rebuilt complement, under its own prior.
    """

    def __init__(self, plan: Plan, model: Model, trajectories: Sequence[int]) -> None:
        self.plan, self.model, self._spec = plan, model, plan.spec
        self.sigmas = [float(sigma) for sigma in plan.sigmas]
        self.step = 0
        self._shape, device = model.info.shape, model.device
        size = int(np.prod(self._shape))
        self._noise = TrajectoryNoise(plan.spec.seed, trajectories, size, draws=len(self.sigmas))
        self._columns = torch.from_numpy(plan.columns).to(device)
        self._grouping = Grouping.of(((0,), (1,)), device)
        self._classes = np.array([curve.groups[0][0] for curve in plan.curves])
        pairs = plan.complement_classes
        turns = [int(pairs[trajectory % len(pairs)]) for trajectory in trajectories]
        self.label = torch.tensor(turns, device=device)
        self._start()

    def _start(self) -> None:
        """Draw sides and states; the classes take turns, so that every curve gets its share."""
        device, prior = self.model.device, torch.from_numpy(self.plan.prior)
        side, component, other = torch.from_numpy(self._noise.uniforms(3)).to(device).T.contiguous()
        pair_prior = torch.from_numpy(self.plan.complement_priors).to(device)[self.label]
        self.is_own = side < pair_prior
        self._other = other_labels(other, prior.to(device), self.label)
        known = self._spec.complement_paths == "random-class"
        rest = self._other if known else torch.full_like(self.label, len(prior))
        self.own = torch.where(self.is_own, self.label, rest)
        full = torch.from_numpy(self.plan.full_prior).to(device)
        self.x = self.model.start(self._normals(), component, self.sigmas[0], full)
        self.log_odds = torch.logit(pair_prior)
        self.true_log_odds = torch.logit(prior.to(device))[self.label]

    @property
    def truth(self) -> Tensor:
        """Position of each trajectory's true label among those its curve tells apart, (batch,)."""
        return (~self.is_own).long() if has_sides(self._spec) else self.own

    def names(self, count: int) -> list[str]:
        """Return what the first trajectories are, in words."""
        names = [*(self.plan.labels[column] for column in self.plan.columns), ""]
        pairs = zip(self.own[:count].tolist(), self.label[:count].tolist(), strict=True)
        return [names[own] or f"not {names[label]}" for own, label in pairs]

    def steps(self) -> Iterator[Measured]:
        """Walk down the noise levels; yield what was measured at each."""
        for step in range(self.step, len(self.sigmas)):
            self.step, last = step, step + 1 == len(self.sigmas)
            noise = None if last else self._normals()
            parts = [self._advance(rows, noise) for rows in self._slices()]
            values, moved, evaluations = zip(*parts, strict=True)
            found = self._by_curve(torch.cat(values, 1).cpu().numpy())
            yield Measured(found, None, torch.cat(moved), sum(evaluations))

    def _slices(self) -> Iterator[slice]:
        pairs = slice_pairs(self.model.device, int(np.prod(self._shape)))
        rows = max(1, pairs // 3)
        for start in range(0, len(self.label), rows):
            yield slice(start, start + rows)

    def _by_curve(self, values: Array) -> Array:
        """Return (quantities, batch) as (curves, quantities, batch), NaN outside of the pair."""
        # A pair is no tree: it keeps the chain rule, and has nothing to show for it.
        values = np.concatenate([values, np.zeros((2, values.shape[1]))])
        counts = self._classes[:, None] == self.label.cpu().numpy()
        return np.where(counts[:, None], values, np.nan)

    def _advance(self, rows: slice, noise: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """Measure some rows at this noise level and move them to the next one."""
        denoised = self._denoise(rows)
        reading = _read(denoised, self._spec.complement)
        values = curve_values(self._scored(rows, denoised, reading), [self._grouping])[0]
        moved = denoised.own + denoised.moved
        if noise is not None:
            kernel = reverse_kernel(self.sigmas[self.step], self.sigmas[self.step + 1])
            x_next = kernel_mean(kernel, self.x[rows], moved) + kernel.std * noise[rows]
            self._score(rows, kernel, denoised, reading, x_next)
            self.x[rows] = x_next
        return values, moved, denoised.evaluations

    def _denoise(self, rows: slice) -> Denoised:
        x, sigma = self.x[rows], self.sigmas[self.step]
        every = torch.arange(len(x), device=x.device)
        third = every[:0]
        if self._spec.complement_paths == "random-class":
            third = every[~self.is_own[rows]]
        columns = [self._columns[self.label[rows]], every * 0 + NO_LABEL]
        labels = torch.cat([*columns, self._columns[self._other[rows][third]]])
        sigmas = torch.full((len(x),), sigma, dtype=torch.float64, device=x.device)
        pairs = self.model.denoise(x, sigmas, torch.cat([every, every, third]), labels)
        own, free = pairs[: len(x)], pairs[len(x) : 2 * len(x)] - pairs[: len(x)]
        rest = rebuilt_apart(free, torch.sigmoid(self.true_log_odds[rows]))
        moved = torch.where(self._beside(self.is_own[rows]), 0, self._moves(free, rest))
        moved[third] = pairs[2 * len(x) :] - own[third]
        return Denoised(own, free, rest, moved, len(pairs))

    def _moves(self, free: Tensor, rest: Tensor) -> Tensor:
        return free if self._spec.complement_paths == "unconditional" else rest

    def _beside(self, flags: Tensor) -> Tensor:
        return flags.reshape(-1, *(1,) * len(self._shape))

    def _scored(self, rows: slice, denoised: Denoised, reading: Reading) -> Scored:
        log_odds = self.log_odds[rows]
        consistent = is_consistent(self._spec)
        return Scored(
            sigma=self.sigmas[self.step],
            logits=torch.stack([log_odds, torch.zeros_like(log_odds)], 1),
            own=(~self.is_own[rows]).long(),
            reading=reading,
            moved=None if consistent else denoised.moved.flatten(1).double(),
            dropped=torch.zeros_like(log_odds),
        )

    def _score(
        self, rows: slice, kernel: Kernel, denoised: Denoised, reading: Reading, x_next: Tensor
    ) -> None:
        """Add to the log-odds what the step to x_next tells."""
        mean = kernel_mean(kernel, self.x[rows], denoised.own)
        residual = (x_next - mean).flatten(1).double()
        evidence = _log_ratio(kernel, residual, reading)
        self.log_odds[rows] += evidence
        if self._spec.complement != "rebuilt":
            evidence = _log_ratio(kernel, residual, _read(denoised, "rebuilt"))
        self.true_log_odds[rows] += evidence

    def _normals(self) -> Tensor:
        normals = torch.from_numpy(self._noise.normals())
        normals = normals.to(device=self.model.device, dtype=self.model.dtype)
        return normals.reshape(-1, *self._shape)


def _read(denoised: Denoised, complement: str) -> Reading:
    """Return class and complement as a posterior reads them, relative to the class."""
    apart = denoised.free if complement == "unconditional" else denoised.rest
    both = torch.stack([torch.zeros_like(apart), apart], 1).flatten(2).double()
    return Reading(denoised.own, both, both.square().sum(2))


def _log_ratio(kernel: Kernel, residual: Tensor, reading: Reading) -> Tensor:
    """Return the log-likelihood of the class less that of its complement, (rows,)."""
    both = log_likelihoods(kernel, residual, reading.apart, reading.squared)
    return both[:, 0] - both[:, 1]
