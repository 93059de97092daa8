"""A batch on its way down the noise levels, scored as it goes (science.md, sections 3 to 7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import ENTROPY
from entroscope_workers.models.base import NO_LABEL, Model
from entroscope_workers.numerics.kernels import (
    Kernel,
    kernel_mean,
    log_likelihoods,
    reverse_kernel,
)
from entroscope_workers.numerics.noise import SHOWING, TrajectoryNoise
from entroscope_workers.numerics.posterior import Grouping
from entroscope_workers.sampling.block import Block, Reading
from entroscope_workers.sampling.call_sizes import slice_pairs
from entroscope_workers.sampling.chain_rule import ChainRules
from entroscope_workers.sampling.data_paths import DataPaths, draw_data
from entroscope_workers.sampling.guided_paths import Steering
from entroscope_workers.sampling.pruning import Pruning
from entroscope_workers.sampling.quantities import Scored, curve_values


@dataclass(frozen=True, slots=True)
class Measured:
    """What one step found.

    Attributes:
        values: (curves, quantities, batch): the first rows of QUANTITIES, to CHAIN_VARIANCE;
            cross-entropy is NaN where the trajectory's label is outside the curve's partition.
        posterior: (batch, run labels), p(z | path); None where only pairs are scored.
        denoised: (batch, *data), the denoised data that moved each trajectory; on data paths those
            of its own label.
        evaluations: pairs that the step took.
        calibration: (curves, calibration.VALUES, batch), on data paths only.
    """

    values: NDArray[np.float64]
    posterior: Tensor | None
    denoised: Tensor
    evaluations: int
    calibration: NDArray[np.float64] | None = None


class Chain:
    """A batch of trajectories on its way from sigma_max to sigma_min.

    Attributes:
        x: (batch, *data), states at the present noise level.
        logits: (batch, run labels), float64, ln p(z | path) up to a constant; -inf where pruned.
        own: (batch,), position of each trajectory's label among the run labels.
        step: index of the present noise level.
    """

    def __init__(
        self,
        plan: Plan,
        model: Model,
        trajectories: Sequence[int],
        own: Sequence[int] | None = None,
    ) -> None:
        """Args: own: the labels of trajectories that are shown and not counted; else drawn."""
        self.plan, self.model = plan, model
        self.sigmas = [float(sigma) for sigma in plan.sigmas]
        self.step = 0
        self._shape = model.info.shape
        size, copies = int(np.prod(self._shape)), [(SHOWING, 0)] * len(own or ())
        self._noise = TrajectoryNoise(
            plan.spec.seed, trajectories, size, copies, draws=len(self.sigmas)
        )
        self._columns = torch.from_numpy(plan.columns).to(model.device)
        self._groupings = [Grouping.of(curve.groups, model.device) for curve in plan.curves]
        guidance = plan.spec.guidance
        follow = guidance is None or guidance.decoder == "guided"
        follow = follow and plan.spec.paths_from == "model"
        self._chain_rules = ChainRules(plan.curves, model.device, labels_follow=follow)
        self._start(own)
        self._pruning = Pruning(plan.spec.prune_below, self.own, len(self._columns))
        prior = torch.from_numpy(plan.prior).to(model.device)
        self._steering = Steering.of(plan.spec.guidance, prior, self.logits)

    def _start(self, own: Sequence[int] | None) -> None:
        """Draw each label from the prior and each state from the highest noise level."""
        uniforms = torch.from_numpy(self._noise.uniforms(2)).to(self.model.device)
        prior = torch.from_numpy(self.plan.prior).to(self.model.device)
        full = torch.from_numpy(self.plan.full_prior).to(self.model.device)
        label, component = uniforms.T.contiguous()
        self.own = torch.bucketize(label, prior.cumsum(0)[:-1].contiguous(), right=True)
        if own is not None:
            self.own = torch.tensor(own, device=self.model.device)
        self.logits = prior.log().expand(len(label), -1).clone()
        self._data: DataPaths | None = None
        if self.plan.spec.paths_from == "model":
            self.x = self.model.start(self._normals(), component, self.sigmas[0], full)
            return
        data = draw_data(self.plan, self.model, self._columns[self.own], component, self._normals())
        self.x = data + self.sigmas[0] * self._normals()
        self._data = DataPaths(data, self.logits.clone(), self._normals())

    def names(self, count: int) -> list[str]:
        """Return the labels of the first trajectories."""
        return [self.plan.labels[self.plan.columns[place]] for place in self.own[:count].tolist()]

    def steps(self) -> Iterator[Measured]:
        """Walk down the noise levels from the present one; yield what was measured at each."""
        for step in range(self.step, len(self.sigmas)):
            self.step, last = step, step + 1 == len(self.sigmas)
            noise = None if last else self._next_noise()
            self._pruning.prune(self.logits)
            posterior = torch.softmax(self.logits, 1)
            calibration = self._calibration()
            parts = [self._advance(rows, noise) for rows in self._slices()]
            values, moved, pairs = zip(*parts, strict=True)
            found = torch.cat(values, 2).cpu().numpy()
            yield Measured(found, posterior, torch.cat(moved), sum(pairs), calibration)

    def _calibration(self) -> NDArray[np.float64] | None:
        if self._data is None:
            return None
        return self._data.read(self.step, self.logits, self.own, self._groupings)

    def _slices(self) -> Iterator[slice]:
        """Rows whose denoised data, all labels, fit a slice."""
        return self._pruning.slices(slice_pairs(self.model.device, int(np.prod(self._shape))))

    def _advance(self, rows: slice, noise: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """Measure some rows at this noise level and move them to the next one."""
        block = Block.of(rows, self._pruning.active, self.own, self._groupings)
        plain, free = self._denoise(block)
        moving = plain if free is None else self._steered(block, plain, free)
        moved = block.of_own(moving)
        reading = block.read(moving if self._reads_guided else plain)
        values = self._values(block, reading, moved)
        if noise is not None:
            kernel = reverse_kernel(self.sigmas[self.step], self.sigmas[self.step + 1])
            mover = moved if self._data is None else self._data.data[rows]
            x_next = kernel_mean(kernel, self.x[rows], mover) + kernel.std * noise[rows]
            self._score(self.logits, kernel, block, reading, x_next)
            if self._steering is not None and self._steering.logits is not self.logits:
                self._score(self._steering.logits, kernel, block, block.read(plain), x_next)
            if self._data is not None and self.step % 2 == 0 and self.step + 2 < len(self.sigmas):
                self._score_half(self._data, block, reading, x_next)
            self.x[rows] = x_next
        return values, moved, block.pairs + (0 if free is None else len(moved))

    @property
    def _reads_guided(self) -> bool:
        return self._steering is not None and self._steering.reads_guided

    def _denoise(self, block: Block) -> tuple[Tensor, Tensor | None]:
        """Return D_z(x), (rows, labels, *data), and D_u(x), (rows, *data), where it is needed."""
        x, sigma = self.x[block.rows], self.sigmas[self.step]
        rows, place = block.active.nonzero(as_tuple=True)
        labels = self._columns[block.kept][place]
        guided = self._steering is not None and self._steering.acts_at(sigma)
        if guided:
            every = torch.arange(len(x), device=x.device)
            rows, labels = torch.cat([rows, every]), torch.cat([labels, every * 0 + NO_LABEL])
        sigmas = torch.full((len(x),), sigma, dtype=torch.float64, device=x.device)
        denoised = self.model.denoise(x, sigmas, rows, labels)
        if not guided:
            return block.spread_out(denoised), None
        return block.spread_out(denoised[: -len(x)]), denoised[-len(x) :]

    def _steered(self, block: Block, plain: Tensor, free: Tensor) -> Tensor:
        if self._steering is None:
            raise RuntimeError("no guidance to steer with")
        return self._steering.steer(free, plain, block.rows, block.kept)

    def _scored(self, block: Block, reading: Reading, moved: Tensor) -> Scored:
        sigma, steering = self.sigmas[self.step], self._steering
        # On the model's own paths the term has mean 0; it would only add noise.
        steered = steering and not steering.reads_guided and steering.has_acted_by(sigma)
        return Scored(
            sigma=sigma,
            logits=self.logits[block.rows][:, block.kept],
            own=block.own,
            reading=reading,
            moved=(moved - reading.own).flatten(1).double() if steered else None,
            dropped=self._pruning.dropped[block.rows],
        )

    def _values(self, block: Block, reading: Reading, moved: Tensor) -> Tensor:
        """Return what is measured of some rows, (curves, quantities, rows)."""
        values = curve_values(self._scored(block, reading, moved), block.groupings)
        rows, entropies = block.rows, values[:, ENTROPY.row]
        kept = self._chain_rules.residuals(self.logits[rows], self.own[rows], entropies)
        return torch.cat([values, kept], 1)

    def _score(
        self, logits: Tensor, kernel: Kernel, block: Block, reading: Reading, x_next: Tensor
    ) -> None:
        """Add to log-posteriors, (batch, run labels), what the step to x_next tells."""
        mean = kernel_mean(kernel, self.x[block.rows], reading.own)
        residual = (x_next - mean).flatten(1).double()
        evidence = log_likelihoods(kernel, residual, reading.apart, reading.squared)
        logits[block.rows].index_add_(1, block.kept, evidence)

    def _score_half(self, data: DataPaths, block: Block, reading: Reading, x_next: Tensor) -> None:
        """Read the path of every second state too, with the denoised data at hand."""
        sigma, sigma_next, sigma_after = self.sigmas[self.step : self.step + 3]
        x_after = data.moved(x_next, block.rows, sigma_next, sigma_after)
        self._score(data.logits, reverse_kernel(sigma, sigma_after), block, reading, x_after)

    def _next_noise(self) -> Tensor:
        return self._normals() if self._data is None else self._data.next_noise(self._normals)

    def _normals(self) -> Tensor:
        normals = torch.from_numpy(self._noise.normals())
        normals = normals.to(device=self.model.device, dtype=self.model.dtype)
        return normals.reshape(-1, *self._shape)
