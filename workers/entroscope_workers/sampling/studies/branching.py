"""Branching: the rest of a trajectory, sampled again and again without a label."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.numerics.noise import BRANCHING, TrajectoryNoise
from entroscope_workers.numerics.reverse_step import Denoise
from entroscope_workers.sampling.call_sizes import slices
from entroscope_workers.sampling.studies.copies import Copies, drawn

MovedBy = Literal["posterior", "unconditional"]


class Branches:
    """Continuations of some trajectories from one noise level on.

    Moved by the posterior, a continuation steps with the mixture sum_z p(z|path) N(mean_z, var):
    it draws a label from its running posterior anew at every step, moves by it, scores the step for
    all labels and forgets the label. No final class is put in by hand, as it would be by drawing
    one label for the whole rest; it emerges from states and evidence. Final classes agree with the
    posterior they left from if steps and evidence belong together, exactly and for any network:
    Dbar = sum_z p(z|path) D_z as the one mover would agree only as the steps refine.

    That does not test the posterior left from: begun with another one, the same process agrees with
    that. Moved by the unconditional branch it is tested, for nothing of it moves the states; the
    model must have such a branch, and where a network's is not the mixture of its classes, the
    difference is the network's. The final class is drawn from the final posterior, not its argmax,
    since a path may end undecided.

    Attributes:
        counts: (trajectories, labels), how many continuations ended in each class.
    """

    def __init__(
        self,
        denoise: Denoise,
        sigmas: Sequence[float],
        x: Tensor,
        logits: Tensor,
        columns: Tensor,
        seed: int,
        trajectories: Sequence[int],
        repeats: int,
        moved_by: MovedBy = "posterior",
    ) -> None:
        """Args: sigmas: from the branching level to the last; x, logits: one row a trajectory;
        columns: (labels,), labels of the model; trajectories: their numbers in the run."""
        self._denoise, self._sigmas, self._freely = denoise, sigmas, moved_by == "unconditional"
        free = columns.new_full((int(self._freely),), NO_LABEL)
        self._labels = torch.cat([columns, free])
        self._x, self._logits = x, logits
        self._seed, self._trajectories, self._repeats = seed, trajectories, repeats
        self.counts: NDArray[np.int64] = np.zeros(logits.shape, np.int64)

    def steps(self, evaluations: int) -> Iterator[int]:
        """Sample slice after slice; yield the evaluations of every step.

        Args:
            evaluations: largest product of copies and labels in a slice.
        """
        labels = len(self._labels)
        needed = [labels] * (len(self._trajectories) * self._repeats)
        for rows in slices(needed, labels, evaluations):
            yield from self._slice(np.arange(rows.start, rows.stop))

    def _slice(self, copies: NDArray[np.int64]) -> Iterator[int]:
        origin, repeat = np.divmod(copies, self._repeats)
        noise = TrajectoryNoise(
            self._seed,
            [self._trajectories[i] for i in origin],
            self._x.shape[1:],
            [(BRANCHING, int(r)) for r in repeat],
        )
        rows = torch.from_numpy(origin).to(self._x.device)
        uniforms = noise.uniforms(len(self._sigmas)).to(self._x.device)
        going = Copies(
            self._denoise,
            self._sigmas,
            self._x[rows],
            self._logits[rows],
            self._labels.expand(len(copies), -1),
            noise,
        )
        yield from going.steps(
            lambda step, logits: (
                torch.full_like(rows, logits.shape[1])
                if self._freely
                else drawn(logits, uniforms[:, step])
            )
        )
        ended = drawn(going.logits, uniforms[:, -1]).cpu().numpy()
        np.add.at(self.counts, (origin, ended), 1)
