"""A batch on its way down the noise levels, scored as it goes (guide: What is measured)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import ENTROPY
from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.numerics.noise import Noise
from entroscope_workers.numerics.posterior import Grouping
from entroscope_workers.numerics.reverse_step import Reading, ReverseStep
from entroscope_workers.sampling.block import Block
from entroscope_workers.sampling.chain_rule import ChainRules
from entroscope_workers.sampling.data_paths import DataPaths, draw_data
from entroscope_workers.sampling.guided_paths import GuidedPaths
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.pruning import Kept, Pruning
from entroscope_workers.sampling.quantities import Scored, curve_values


@dataclass(frozen=True, slots=True)
class Measured:
    """What one step found.

    Attributes:
        values: (curves, quantities, batch): the first rows of QUANTITIES, to CHAIN_VARIANCE;
            cross-entropy is NaN where the trajectory's label is outside the curve's partition.
        posterior: (batch, run labels), p(z | path); None in complement runs.
        denoised: (batch, *data), the denoised data that moved each trajectory; on data paths those
            of its own label.
        evaluations: those that the step took.
        calibration: (curves, calibration.VALUES, batch), on data paths only.
    """

    values: NDArray[np.float64]
    posterior: Tensor | None
    denoised: Tensor
    evaluations: int
    calibration: NDArray[np.float64] | None = None


class Chain:
    """A batch of trajectories on its way from sigma_max to sigma_min.

    The noise may be that of the trajectories of a batch, or any other that is drawn alike: the same
    plan over other levels, on noise made from that of a first chain, is a second reading of its
    paths.

    Attributes:
        x: (batch, *data), states at the present noise level.
        logits: (batch, run labels), float64, ln p(z | path) up to a constant; -inf where pruned.
        label: (batch,), position of each trajectory's label among the run labels.
        step: index of the present noise level.
        kept: what pruning has left at each step so far; empty where nothing is pruned.
    """

    def __init__(
        self,
        plan: Plan,
        model: LoadedModel,
        noise: Noise,
        labels: Sequence[int] | None = None,
        kept: Sequence[Kept] | None = None,
    ) -> None:
        """Start a batch at the highest noise level.

        Args:
            model: bound to the run.
            noise: one stream a trajectory.
            labels: those of trajectories that are shown and not counted; else drawn.
            kept: what pruning is to leave at each step, where it follows another chain.
        """
        self.plan, self.model, self._noise = plan, model, noise
        self.sigmas = [float(sigma) for sigma in plan.sigmas]
        self.step, self._follow = 0, kept
        self.kept: list[Kept] = []
        self._columns = torch.from_numpy(plan.columns).to(model.device)
        self._groupings = [Grouping.of(curve.groups, model.device) for curve in plan.curves]
        guidance = plan.spec.guidance
        follow = guidance is None or guidance.decoder == "guided"
        follow = follow and plan.spec.paths_from == "model"
        self._chain_rules = ChainRules(plan.curves, model.device, labels_follow=follow)
        self._start(labels)
        self._pruning = Pruning(plan.spec.prune_below, self.label, len(self._columns))
        prior = torch.from_numpy(plan.prior).to(model.device)
        self._guided = GuidedPaths.of(guidance, prior, self.logits)

    def _start(self, labels: Sequence[int] | None) -> None:
        """Draw each label from the prior and each state from the highest noise level."""
        device, model = self.model.device, self.model.model
        prior = torch.from_numpy(self.plan.prior).to(device)
        full = torch.from_numpy(self.plan.full_prior).to(device)
        label, component = self._noise.uniforms(2).to(device).T.contiguous()
        self.label = torch.bucketize(label, prior.cumsum(0)[:-1].contiguous(), right=True)
        if labels is not None:
            self.label = torch.tensor(labels, device=device)
        self.logits = prior.log().expand(len(label), -1).clone()
        self._data: DataPaths | None = None
        if self.plan.spec.paths_from == "model":
            self.x = model.start(self._normals(), component, self.sigmas[0], full)
            return
        columns = self._columns[self.label]
        data = draw_data(self.plan, self.model, columns, component, self._normals())
        self.x = data + self.sigmas[0] * self._normals()
        self._data = DataPaths(data, self.logits.clone(), self._normals())

    def names(self, count: int) -> list[str]:
        """Return the labels of the first trajectories."""
        columns = self.plan.columns[self.label[:count].cpu().numpy()]
        return [self.plan.labels[column] for column in columns]

    def steps(self) -> Iterator[Measured]:
        """Walk down the noise levels from the present one; yield what was measured at each."""
        for step in range(self.step, len(self.sigmas)):
            self.step, last = step, step + 1 == len(self.sigmas)
            noise = None if last else self._next_noise()
            self._prune(step)
            posterior = torch.softmax(self.logits, 1)
            calibration = self._calibration()
            parts = [self._advance(rows, noise) for rows in self._slices()]
            values, moving, evaluations = zip(*parts, strict=True)
            measured = torch.cat(values, 2).cpu().numpy()
            yield Measured(measured, posterior, torch.cat(moving), sum(evaluations), calibration)

    def _prune(self, step: int) -> None:
        if self.plan.spec.prune_below == 0:
            return
        if self._follow is None:
            self._pruning.prune(self.logits)
            self.kept.append(self._pruning.kept)
        else:
            self._pruning.follow(self._follow[step], self.logits)

    def _calibration(self) -> NDArray[np.float64] | None:
        if self._data is None:
            return None
        return self._data.read(self.step, self.logits, self.label, self._groupings)

    def _slices(self) -> Iterator[slice]:
        active = self._pruning.active
        return self.model.slices(active.sum(1).tolist(), active.shape[1])

    def _advance(self, rows: slice, noise: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """Measure some rows at this noise level and move them to the next one."""
        block = Block.of(rows, self._pruning.active, self.label, self._groupings)
        plain, free = self._denoise(block)
        guided = plain if free is None else self._guide(block, plain, free)
        moving = block.of_label(guided)
        reading = block.read(guided if self._scored_guided else plain)
        values = self._values(block, reading, moving)
        if noise is not None:
            self._move(block, plain, reading, moving, noise[rows])
        return values, moving, block.evaluations + (0 if free is None else len(moving))

    def _move(
        self, block: Block, plain: Tensor, reading: Reading, moving: Tensor, noise: Tensor
    ) -> None:
        """Take the step of some rows, and score it in every posterior that follows the path."""
        x = self.x[block.rows]
        step = ReverseStep.between(self.sigmas[self.step], self.sigmas[self.step + 1], x)
        x_next = step.moved(moving if self._data is None else self._data.data[block.rows], noise)
        _score(self.logits, step, block, reading, x_next)
        if self._guided is not None and self._guided.logits is not self.logits:
            _score(self._guided.logits, step, block, block.read(plain), x_next)
        if self._data is not None and self.step % 2 == 0 and self.step + 2 < len(self.sigmas):
            sigma, sigma_next, sigma_after = self.sigmas[self.step : self.step + 3]
            x_after = self._data.moved(x_next, block.rows, sigma_next, sigma_after)
            longer = ReverseStep.between(sigma, sigma_after, x)
            _score(self._data.logits, longer, block, reading, x_after)
        self.x[block.rows] = x_next

    @property
    def _scored_guided(self) -> bool:
        return self._guided is not None and self._guided.scored_guided

    def _denoise(self, block: Block) -> tuple[Tensor, Tensor | None]:
        """Return D_z(x), (rows, labels, *data), and D_u(x), (rows, *data), where it is needed."""
        x, sigma = self.x[block.rows], self.sigmas[self.step]
        rows, positions = block.active.nonzero(as_tuple=True)
        labels = self._columns[block.kept][positions]
        guided = self._guided is not None and self._guided.acts_at(sigma)
        if guided:
            every = torch.arange(len(x), device=x.device)
            rows, labels = torch.cat([rows, every]), torch.cat([labels, every * 0 + NO_LABEL])
        sigmas = torch.full((len(x),), sigma, dtype=torch.float64, device=x.device)
        denoised = self.model.denoise(x, sigmas, rows, labels)
        if not guided:
            return block.spread_out(denoised), None
        return block.spread_out(denoised[: -len(x)]), denoised[-len(x) :]

    def _guide(self, block: Block, plain: Tensor, free: Tensor) -> Tensor:
        if self._guided is None:
            raise RuntimeError("the run has no guidance")
        return self._guided.guide(free, plain, block.rows, block.kept)

    def _scored(self, block: Block, reading: Reading, moving: Tensor) -> Scored:
        sigma, guided = self.sigmas[self.step], self._guided
        # On the model's own paths the term has mean 0; it would only add noise.
        apart = guided and not guided.scored_guided and guided.has_acted_by(sigma)
        return Scored(
            sigma=sigma,
            logits=self.logits[block.rows][:, block.kept],
            label=block.label,
            reading=reading,
            moved=(moving - reading.reference).flatten(1).double() if apart else None,
            dropped=self._pruning.dropped[block.rows],
        )

    def _values(self, block: Block, reading: Reading, moving: Tensor) -> Tensor:
        """Return what is measured of some rows, (curves, quantities, rows)."""
        values = curve_values(self._scored(block, reading, moving), block.groupings)
        rows, entropies = block.rows, values[:, ENTROPY.row]
        kept = self._chain_rules.residuals(self.logits[rows], self.label[rows], entropies)
        return torch.cat([values, kept], 1)

    def _next_noise(self) -> Tensor:
        return self._normals() if self._data is None else self._data.next_noise(self._normals)

    def _normals(self) -> Tensor:
        return self._noise.normals().to(self.model.device, self.model.model.dtype)


def _score(
    logits: Tensor, step: ReverseStep, block: Block, reading: Reading, x_next: Tensor
) -> None:
    """Add to log-posteriors, (batch, run labels), what the step to x_next tells."""
    logits[block.rows].index_add_(1, block.kept, step.evidence(x_next, reading))
