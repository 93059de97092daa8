"""The denoising loss of EDM (Karras et al. 2022, table 1) and the noise levels it is trained at."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.fashion_mnist import Network


@dataclass(frozen=True, slots=True)
class NoiseLevels:
    """ln sigma ~ N(mean, std^2), except a share drawn uniformly in ln sigma over the whole range.

    The uniform share teaches the ends of the range, where the normal law hardly ever goes.
    """

    mean: float = -0.4
    std: float = 1.5
    uniform_share: float = 0.1
    sigma_min: float = 0.02
    sigma_max: float = 80.0

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Return sigma: (count,), float64."""
        normal = torch.randn(count, generator=generator, dtype=torch.float64)
        uniform = torch.rand(count, generator=generator, dtype=torch.float64)
        low, high = math.log(self.sigma_min), math.log(self.sigma_max)
        spread = torch.rand(count, generator=generator, dtype=torch.float64) < self.uniform_share
        wide = low + (high - low) * uniform
        return torch.where(spread, wide, self.mean + self.std * normal).exp()


def drop_labels(labels: Tensor, share: float, generator: Generator) -> Tensor:
    """Return the labels with a random share of them replaced by NO_LABEL."""
    dropped = torch.rand(len(labels), generator=generator) < share
    return torch.where(dropped, NO_LABEL, labels)


def weighted_errors(
    network: Network, x0: Tensor, sigma: Tensor, noise: Tensor, labels: Tensor
) -> Tensor:
    """Return the error of each denoised picture, weighted so that an idle network scores about 1.

    weight = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2

    Args:
        x0, noise: (batch, 1, 28, 28); sigma: (batch,), float64; labels: (batch,), int64.
    Returns:
        errors: (batch,), float32.
    """
    x = x0 + sigma.to(x0.dtype)[:, None, None, None] * noise
    rows = torch.arange(len(x0), device=x0.device)
    denoised: Tensor = network(x, sigma, rows, labels)
    squared = (denoised.float() - x0).square().mean(dim=(1, 2, 3))
    data = network.config.sigma_data
    weight = (sigma.square() + data**2) / (sigma * data).square()
    return weight.to(squared.dtype) * squared
