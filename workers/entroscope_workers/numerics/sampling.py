"""Sampling alone: guided pictures, without the scores of all classes that a measurement needs."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from entroscope_workers.numerics.guidance import guided
from entroscope_workers.numerics.reverse_step import Denoise, ReverseStep

#: Label of the unconditional branch.
NO_LABEL = -1


def sample(
    denoise: Denoise,
    x: Tensor,
    labels: Tensor,
    sigmas: Sequence[float],
    scales: Sequence[float],
    generator: Generator,
) -> Tensor:
    """Return the denoised data at the end of the stochastic chain, (batch, *data).

    Two evaluations a step where it is guided, one where the scale is 1.

    Args:
        x: (batch, *data), states at the first noise level.
        labels: (batch,), int64.
        sigmas: noise levels, decreasing; scales: of the guidance at each of them.
        generator: on the device of x.
    """
    denoised = x
    for step, (sigma, scale) in enumerate(zip(sigmas, scales, strict=True)):
        denoised = _denoised(denoise, x, labels, sigma, scale)
        if step + 1 < len(sigmas):
            noise = torch.empty_like(x).normal_(generator=generator)
            x = ReverseStep.between(sigma, sigmas[step + 1], x).moved(denoised, noise)
    return denoised


def _denoised(denoise: Denoise, x: Tensor, labels: Tensor, sigma: float, scale: float) -> Tensor:
    rows = torch.arange(len(x), device=x.device)
    sigmas = torch.full((len(x),), sigma, dtype=torch.float64, device=x.device)
    if scale == 1:
        return denoise(x, sigmas, rows, labels)
    both = torch.cat([labels, torch.full_like(labels, NO_LABEL)])
    conditional, free = denoise(x, sigmas, rows.repeat(2), both).chunk(2)
    return guided(free, conditional, torch.tensor(scale, dtype=x.dtype, device=x.device))
