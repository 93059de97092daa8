"""Copies of trajectories that go on from one noise level, moved by labels of their own choice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from entroscope_workers.numerics.noise import TrajectoryNoise
from entroscope_workers.numerics.reverse_step import Denoise, Reading, ReverseStep


@dataclass
class Copies:
    """Copies at the first of some noise levels, scored as they go on.

    Attributes:
        sigmas: noise levels from the present one to the last one.
        x: (copies, *data), states.
        logits: (copies, labels), float64, ln p(z | path) up to a constant.
        labels: (copies, labels or more), int64, which labels of the model those are; any further
            ones can move a copy, but are not scored.
        noise: one stream a copy.
    """

    denoise: Denoise
    sigmas: Sequence[float]
    x: Tensor
    logits: Tensor
    labels: Tensor
    noise: TrajectoryNoise

    def steps(self, choose: Callable[[int, Tensor], Tensor]) -> Iterator[int]:
        """Go down to the last noise level; yield the evaluations that each step took.

        Args:
            choose: from the number of the step and the logits to the (copies,) positions among
                `labels` of those that move the copies.
        """
        for step, (sigma, sigma_next) in enumerate(pairwise(self.sigmas)):
            denoised = self._denoise(sigma)  # (copies, labels, *data)
            rows = torch.arange(len(self.x), device=self.x.device)
            moved = denoised[rows, choose(step, self.logits)]
            going = ReverseStep.between(sigma, sigma_next, self.x)
            self.x = going.moved(moved, self.noise.normals().to(self.x))
            reading = Reading.relative(moved, denoised[:, : self.logits.shape[1]])
            self.logits = self.logits + going.evidence(self.x, reading)
            yield self.labels.numel()

    def _denoise(self, sigma: float) -> Tensor:
        copies, labels = self.labels.shape
        rows = torch.arange(copies, device=self.x.device).repeat_interleave(labels)
        sigmas = torch.full((copies,), sigma, dtype=torch.float64, device=self.x.device)
        denoised = self.denoise(self.x, sigmas, rows, self.labels.flatten())
        return denoised.reshape(copies, labels, *denoised.shape[1:])


def drawn(logits: Tensor, uniform: Tensor) -> Tensor:
    """Return one position a row drawn from softmax(logits), by uniforms in [0, 1); (rows,)."""
    edges = torch.softmax(logits, 1).cumsum(1)
    positions = torch.searchsorted(edges, uniform[:, None].contiguous(), right=True)[:, 0]
    return positions.clamp(max=logits.shape[1] - 1)
