"""Switching: copies of a trajectory that go on with another label than their own."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope_workers.numerics.noise import SWITCHING, TrajectoryNoise
from entroscope_workers.numerics.reverse_step import Denoise
from entroscope_workers.sampling.call_sizes import slices
from entroscope_workers.sampling.studies.copies import Copies

#: Labels that a copy evaluates: the old one and the new one.
LABELS = 2


class Switched:
    """Copies of some trajectories whose label is changed at one noise level.

    The new label is uniform over the others that the run gives any weight. Only it and the old one
    are evaluated, and the copy has followed if its final posterior prefers the new one: the
    evidence is that of the whole path, before and after the change, which refines to the posterior
    of the final state itself.

    Attributes:
        followed: (trajectories,), whether each copy followed; False until it has gone down.
    """

    def __init__(
        self,
        denoise: Denoise,
        sigmas: Sequence[float],
        x: Tensor,
        logits: Tensor,
        label: Tensor,
        columns: Tensor,
        noise_of: tuple[int, Sequence[int], int],
    ) -> None:
        """Args: sigmas: from the level of the change to the last; x, logits, label: one row
        a trajectory; columns: (labels,), of the model; noise_of: seed, trajectories, step."""
        self._denoise, self._sigmas, self._columns = denoise, sigmas, columns
        self._x, self._logits, self._label = x, logits, label
        self._seed, self._trajectories, self._step = noise_of
        self.followed: NDArray[np.bool_] = np.zeros(len(x), np.bool_)

    def steps(self, evaluations: int) -> Iterator[int]:
        """Sample slice after slice; yield the evaluations of every step.

        Args:
            evaluations: as of `Branches.steps`.
        """
        for rows in slices([LABELS] * len(self._x), LABELS, evaluations):
            yield from self._slice(rows)

    def _slice(self, rows: slice) -> Iterator[int]:
        going = self.copies(rows)
        yield from going.steps(lambda _, logits: torch.ones_like(logits[:, 0], dtype=torch.int64))
        self.followed[rows] = (going.logits[:, 1] > going.logits[:, 0]).cpu().numpy()

    def copies(self, rows: slice) -> Copies:
        """Return copies of some trajectories at the level of the change, old label and new."""
        trajectories = self._trajectories[rows]
        noise = TrajectoryNoise(
            self._seed,
            trajectories,
            self._x.shape[1:],
            [(SWITCHING, self._step)] * len(trajectories),
        )
        label, logits = self._label[rows], self._logits[rows]
        uniform = noise.uniforms(1)[:, 0].to(label.device)
        both = torch.stack([label, another(logits, label, uniform)], 1)  # (rows, 2)
        return Copies(
            self._denoise,
            self._sigmas,
            self._x[rows],
            logits.gather(1, both),
            self._columns[both],
            noise,
        )


def another(logits: Tensor, label: Tensor, uniform: Tensor) -> Tensor:
    """Return another label than each row's own, (rows,), uniform over those with any posterior.

    Args:
        logits: (rows, labels); label: (rows,); uniform: (rows,) in [0, 1).
    """
    others = logits > -torch.inf
    others[torch.arange(len(label), device=label.device), label] = False
    wanted = (uniform * others.sum(1)).floor()  # the how manieth of the others
    return torch.searchsorted(others.cumsum(1).double(), wanted[:, None], right=True)[:, 0]
