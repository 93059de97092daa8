"""A complement run's batch on its way down the noise levels: two evaluations a path and level.

Each trajectory belongs to one class and to one side, the class or its complement, and counts for
that class's curve alone (guide: Complement).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.plan.complement import is_consistent, knows_sides_only
from entroscope.measurement.plan.plan import Plan
from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.numerics.complement import other_labels, rebuilt_apart
from entroscope_workers.numerics.noise import Noise
from entroscope_workers.numerics.posterior import Grouping
from entroscope_workers.numerics.reverse_step import Reading, ReverseStep
from entroscope_workers.sampling.chain import Measured
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.quantities import Scored, curve_values

Array = NDArray[np.float64]
#: Most evaluations of a row and level: of the class, the unconditional branch, another class.
MOST_EVALUATIONS = 3


@dataclass(frozen=True, slots=True)
class Denoised:
    """What some rows need at one noise level, each (rows, *data).

    Attributes:
        of_class: D_c of the class.
        free: D_u - D_c.
        rest: D_rest - D_c, rebuilt.
        moving: what moves the state, less D_c.
        evaluations: how many it took.
    """

    of_class: Tensor
    free: Tensor
    rest: Tensor
    moving: Tensor
    evaluations: int


class ComplementChain:
    """A batch of trajectories on its way from sigma_max to sigma_min, each a class and its rest.

    Attributes:
        x: (batch, *data), states at the present noise level.
        classes: (batch,), the class of each trajectory's curve, a position among the run labels.
        in_class: (batch,), whether the trajectory is on the side of the class.
        label: (batch,), each trajectory's true label, the number of run labels for "the rest".
        log_odds: (batch,), float64, ln p/(1 - p) of the class under the run's pair_prior.
        step: index of the present noise level.
        true_log_odds: the same of the class against the rebuilt complement, under its own prior.
    """

    def __init__(
        self, plan: Plan, model: LoadedModel, noise: Noise, trajectories: Sequence[int]
    ) -> None:
        """Args: as of `Chain`; trajectories: their numbers in the run, which choose the classes."""
        self.plan, self.model, self._spec = plan, model, plan.spec
        self.sigmas = [float(sigma) for sigma in plan.sigmas]
        self.step = 0
        self._noise, device = noise, model.device
        self._columns = torch.from_numpy(plan.columns).to(device)
        self._grouping = Grouping.of(((0,), (1,)), device)
        self._curve_classes = np.array([curve.groups[0][0] for curve in plan.curves])
        every = plan.complement_classes
        turns = [int(every[trajectory % len(every)]) for trajectory in trajectories]
        self.classes = torch.tensor(turns, device=device)
        self._start()

    def _start(self) -> None:
        """Draw sides and states; the classes take turns, so that every curve gets its share."""
        device, prior = self.model.device, torch.from_numpy(self.plan.prior)
        side, component, other = self._noise.uniforms(3).to(device).T.contiguous()
        class_prior = torch.from_numpy(self.plan.complement_priors).to(device)[self.classes]
        self.in_class = side < class_prior
        self._other = other_labels(other, prior.to(device), self.classes)
        known = self._spec.complement_paths == "random-class"
        rest = self._other if known else torch.full_like(self.classes, len(prior))
        self.label = torch.where(self.in_class, self.classes, rest)
        full = torch.from_numpy(self.plan.full_prior).to(device)
        self.x = self.model.model.start(self._normals(), component, self.sigmas[0], full)
        self.log_odds = torch.logit(class_prior)
        self.true_log_odds = torch.logit(prior.to(device))[self.classes]

    @property
    def truth(self) -> Tensor:
        """Position of each trajectory's true label among those its curve tells apart, (batch,)."""
        return (~self.in_class).long() if knows_sides_only(self._spec) else self.label

    def names(self, count: int) -> list[str]:
        """Return what the first trajectories are, in words."""
        names = [*(self.plan.labels[column] for column in self.plan.columns), ""]
        both = zip(self.label[:count].tolist(), self.classes[:count].tolist(), strict=True)
        return [names[label] or f"not {names[class_]}" for label, class_ in both]

    def steps(self) -> Iterator[Measured]:
        """Walk down the noise levels; yield what was measured at each."""
        needed = [MOST_EVALUATIONS] * len(self.classes)
        for step in range(self.step, len(self.sigmas)):
            self.step, last = step, step + 1 == len(self.sigmas)
            noise = None if last else self._normals()
            slices = self.model.slices(needed, MOST_EVALUATIONS)
            parts = [self._advance(rows, noise) for rows in slices]
            values, moving, evaluations = zip(*parts, strict=True)
            measured = self._by_curve(torch.cat(values, 1).cpu().numpy())
            yield Measured(measured, None, torch.cat(moving), sum(evaluations))

    def _by_curve(self, values: Array) -> Array:
        """Return (quantities, batch) as (curves, quantities, batch), NaN where not its class."""
        # A class and its rest are no tree: they keep the chain rule, with nothing to show for it.
        values = np.concatenate([values, np.zeros((2, values.shape[1]))])
        counts = self._curve_classes[:, None] == self.classes.cpu().numpy()
        return np.where(counts[:, None], values, np.nan)

    def _advance(self, rows: slice, noise: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """Measure some rows at this noise level and move them to the next one."""
        denoised = self._denoise(rows)
        reading = _read(denoised, self._spec.complement)
        values = curve_values(self._scored(rows, denoised, reading), [self._grouping])[0]
        moving = denoised.of_class + denoised.moving
        if noise is not None:
            levels = self.sigmas[self.step], self.sigmas[self.step + 1]
            step = ReverseStep.between(*levels, self.x[rows])
            x_next = step.moved(moving, noise[rows])
            self._score(rows, step, denoised, reading, x_next)
            self.x[rows] = x_next
        return values, moving, denoised.evaluations

    def _denoise(self, rows: slice) -> Denoised:
        x, sigma = self.x[rows], self.sigmas[self.step]
        every = torch.arange(len(x), device=x.device)
        third = every[:0]
        if self._spec.complement_paths == "random-class":
            third = every[~self.in_class[rows]]
        columns = [self._columns[self.classes[rows]], every * 0 + NO_LABEL]
        labels = torch.cat([*columns, self._columns[self._other[rows][third]]])
        sigmas = torch.full((len(x),), sigma, dtype=torch.float64, device=x.device)
        answers = self.model.denoise(x, sigmas, torch.cat([every, every, third]), labels)
        of_class, free = answers[: len(x)], answers[len(x) : 2 * len(x)] - answers[: len(x)]
        rest = rebuilt_apart(free, torch.sigmoid(self.true_log_odds[rows]))
        in_class = self.in_class[rows].reshape(-1, *(1,) * (x.ndim - 1))
        unconditional = self._spec.complement_paths == "unconditional"
        moving = torch.where(in_class, 0, free if unconditional else rest)
        moving[third] = answers[2 * len(x) :] - of_class[third]
        return Denoised(of_class, free, rest, moving, len(answers))

    def _scored(self, rows: slice, denoised: Denoised, reading: Reading) -> Scored:
        log_odds = self.log_odds[rows]
        consistent = is_consistent(self._spec)
        return Scored(
            sigma=self.sigmas[self.step],
            logits=torch.stack([log_odds, torch.zeros_like(log_odds)], 1),
            label=(~self.in_class[rows]).long(),
            reading=reading,
            moved=None if consistent else denoised.moving.flatten(1).double(),
            dropped=torch.zeros_like(log_odds),
        )

    def _score(
        self, rows: slice, step: ReverseStep, denoised: Denoised, reading: Reading, x_next: Tensor
    ) -> None:
        """Add to the log-odds what the step to x_next tells."""
        evidence = _log_ratio(step.evidence(x_next, reading))
        self.log_odds[rows] += evidence
        if self._spec.complement != "rebuilt":
            evidence = _log_ratio(step.evidence(x_next, _read(denoised, "rebuilt")))
        self.true_log_odds[rows] += evidence

    def _normals(self) -> Tensor:
        return self._noise.normals().to(self.model.device, self.model.model.dtype)


def _read(denoised: Denoised, complement: str) -> Reading:
    """Return class and complement as a step is scored with them, relative to the class."""
    apart = denoised.free if complement == "unconditional" else denoised.rest
    both = torch.stack([torch.zeros_like(apart), apart], 1).flatten(2).double()
    return Reading.of(denoised.of_class, both)


def _log_ratio(evidence: Tensor) -> Tensor:
    """Return the log-likelihood of the class less that of its complement, (rows,)."""
    return evidence[:, 0] - evidence[:, 1]
