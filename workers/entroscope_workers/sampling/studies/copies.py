"""Copies of trajectories that go on from one noise level, moved by labels of their own choice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from entroscope_workers.models.base import Model
from entroscope_workers.numerics.kernels import kernel_mean, log_likelihoods, reverse_kernel
from entroscope_workers.numerics.noise import TrajectoryNoise


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

    model: Model
    sigmas: Sequence[float]
    x: Tensor
    logits: Tensor
    labels: Tensor
    noise: TrajectoryNoise

    def steps(self, choose: Callable[[int, Tensor], Tensor]) -> Iterator[int]:
        """Go down to the last noise level; yield the pairs that each step took.

        Args:
            choose: from the number of the step and the logits to the (copies,) places among
                `labels` of those that move the copies.
        """
        for step, (sigma, sigma_next) in enumerate(pairwise(self.sigmas)):
            denoised = self._denoise(sigma)  # (copies, labels, *data)
            rows = torch.arange(len(self.x), device=self.x.device)
            moved = denoised[rows, choose(step, self.logits)]
            kernel = reverse_kernel(sigma, sigma_next)
            x_next = kernel_mean(kernel, self.x, moved) + kernel.std * self._normals()
            scored = denoised[:, : self.logits.shape[1]]
            apart = (scored - moved[:, None]).flatten(2).double()
            residual = (x_next - kernel_mean(kernel, self.x, moved)).flatten(1).double()
            evidence = log_likelihoods(kernel, residual, apart, apart.square().sum(2))
            self.x, self.logits = x_next, self.logits + evidence
            yield self.labels.numel()

    def _denoise(self, sigma: float) -> Tensor:
        copies, labels = self.labels.shape
        rows = torch.arange(copies, device=self.x.device).repeat_interleave(labels)
        sigmas = torch.full((copies,), sigma, dtype=torch.float64, device=self.x.device)
        denoised = self.model.denoise(self.x, sigmas, rows, self.labels.flatten())
        return denoised.reshape(copies, labels, *denoised.shape[1:])

    def _normals(self) -> Tensor:
        normals = torch.from_numpy(self.noise.normals())
        return normals.to(device=self.x.device, dtype=self.x.dtype).reshape(self.x.shape)


def drawn(logits: Tensor, uniform: Tensor) -> Tensor:
    """Return one place a row, (rows,), drawn from softmax(logits) by uniforms (rows,) in [0, 1)."""
    edges = torch.softmax(logits, 1).cumsum(1)
    places = torch.searchsorted(edges, uniform[:, None].contiguous(), right=True)[:, 0]
    return places.clamp(max=logits.shape[1] - 1)


def slices(total: int, size: int) -> Iterator[slice]:
    """Cut a number of copies into slices of a size, of 1 at least."""
    size = max(1, size)
    for start in range(0, total, size):
        yield slice(start, min(total, start + size))
