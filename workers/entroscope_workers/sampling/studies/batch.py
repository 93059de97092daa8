"""The share of one batch in the studies of its run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.branching import COUNTS, OWN, POSTERIOR
from entroscope.measurement.curves.commitment import commitment_curve
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.curves.switch import FOLLOWED
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.study_levels import branching_step, switch_steps
from entroscope.protocol.studies_spec import Branching, Switch
from entroscope_workers.sampling.chain import Chain
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.studies.branching import Branches
from entroscope_workers.sampling.studies.commitment import Commitment
from entroscope_workers.sampling.studies.switching import Switched


@dataclass(frozen=True, slots=True)
class _Kept:
    """The first trajectories of a batch at one noise level."""

    x: Tensor
    logits: Tensor


class BatchStudies:
    """Watches the chain of a batch, keeps the states that studies begin at, then samples them.

    The studies of a run are of its first trajectories, so a batch has some of them or none; they
    have a noise of their own, which changes no number of the run.
    """

    def __init__(self, plan: Plan, index: int, model: LoadedModel, chain: Chain) -> None:
        self._plan, self._model, self._label = plan, model, chain.label
        self._first, self._size = plan.batches[index]
        curve = commitment_curve(plan.curves)
        steps = len(plan.sigmas)
        self._commitment = None if curve is None else Commitment(curve, chain.label, steps)
        studies = plan.spec.studies
        self._branching_step = branching_step(studies, plan.sigmas)
        self._switch_steps = switch_steps(studies, plan.sigmas)
        self._branched = self._share(studies.branching)
        self._switched = self._share(studies.switch)
        self._kept: dict[int, _Kept] = {}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._keep(0, chain)

    def add(self, step: int, posterior: Tensor, chain: Chain) -> None:
        """Take the posterior of a step, (batch, run labels); the chain stands at the next one."""
        if self._commitment is not None:
            self._commitment.add(step, posterior)
        self._keep(step + 1, chain)

    def steps(self) -> Iterator[int]:
        """Sample what the studies ask for; yield the evaluations of every step."""
        yield from self._branch()
        yield from self._switch()

    def arrays(self) -> StudyArrays:
        """Return what the batch adds to the studies of the run."""
        commitment = {} if self._commitment is None else self._commitment.arrays(self._first)
        return {**commitment, **self._arrays}

    def _share(self, asked: Branching | Switch | None) -> int:
        """Return how many of the run's first trajectories are in this batch."""
        wanted = 0 if asked is None else asked.trajectories or 0
        return min(self._size, max(0, wanted - self._first))

    def _keep(self, step: int, chain: Chain) -> None:
        branched = self._branched if step == self._branching_step else 0
        switched = self._switched if step in self._switch_steps else 0
        if rows := max(branched, switched):
            self._kept[step] = _Kept(chain.x[:rows].clone(), chain.logits[:rows].clone())

    def _branch(self) -> Iterator[int]:
        asked = self._plan.spec.studies.branching
        if asked is None or self._branching_step is None or not self._branched:
            return
        kept, rows = self._kept[self._branching_step], slice(self._branched)
        branches = Branches(
            self._model.denoise,
            self._levels(self._branching_step),
            kept.x[rows],
            kept.logits[rows],
            self._columns,
            self._plan.spec.seed,
            range(self._first, self._first + self._branched),
            asked.repeats,
            asked.moved_by,
        )
        yield from branches.steps(self._model.slice_evaluations)
        self._arrays[OWN] = self._label[rows].cpu().numpy()
        self._arrays[POSTERIOR] = torch.softmax(kept.logits[rows], 1).cpu().numpy()
        self._arrays[COUNTS] = branches.counts

    def _switch(self) -> Iterator[int]:
        if not self._switched:
            return
        rows, followed = slice(self._switched), []
        trajectories = range(self._first, self._first + self._switched)
        for step in self._switch_steps:
            switch = Switched(
                self._model.denoise,
                self._levels(step),
                self._kept[step].x[rows],
                self._kept[step].logits[rows],
                self._label[rows],
                self._columns,
                (self._plan.spec.seed, trajectories, step),
            )
            yield from switch.steps(self._model.slice_evaluations)
            followed.append(switch.followed)
        self._arrays[FOLLOWED] = np.stack(followed, 1).astype(np.uint8)

    @property
    def _columns(self) -> Tensor:
        return torch.from_numpy(self._plan.columns).to(self._model.device)

    def _levels(self, step: int) -> list[float]:
        return [float(sigma) for sigma in self._plan.sigmas[step:]]
