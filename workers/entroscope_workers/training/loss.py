"""The denoising loss of EDM (Karras et al. 2022, table 1) and the noise levels it is trained at."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.families.fashion_mnist import LABELS, Network

#: A picture that looks like another class costs no more: some are labelled wrongly.
MOST_NATS = 8.0


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
    rows = torch.arange(len(x0), device=x0.device)
    denoised: Tensor = network(_noisy(x0, sigma, noise), sigma, rows, labels)
    return _weight(network, sigma) * (denoised.float() - x0).square().mean(dim=(1, 2, 3))


def contrasted_errors(
    network: Network,
    x0: Tensor,
    sigma: Tensor,
    noise: Tensor,
    labels: Tensor,
    *,
    unlabelled_share: float,
    contrast: float,
) -> Tensor:
    """Return weighted errors, plus what it costs to tell the label from the denoised pictures.

    The denoising loss never asks for D_z of a picture of another class, which drifts towards D_z*:
    evidence then trickles in at low noise instead of being there where the picture shows it. So
    the pictures are also classified by what the reverse step from sigma to sigma / sqrt(2) tells
    of each label, -|x0 - D_z|^2 / (2 sigma^2), and the cross-entropy of that, in nats, is paid for.

    Args:
        as for `weighted_errors`; labels: the true ones.
        unlabelled_share: weight of the error without label against that with the own one.
        contrast: weight of the cross-entropy.
    """
    classes = torch.arange(len(LABELS))
    asked = torch.cat([classes, torch.tensor([NO_LABEL])]).repeat(len(x0))
    rows = torch.arange(len(x0)).repeat_interleave(len(classes) + 1)
    denoised: Tensor = network(_noisy(x0, sigma, noise), sigma, rows, asked)
    apart = denoised.float().reshape(len(x0), len(classes) + 1, -1) - x0.flatten(1)[:, None]
    squared = apart.square().sum(2)  # (batch, labels and none)
    labelled = (1 - unlabelled_share) * squared[torch.arange(len(x0)), labels]
    both = labelled + unlabelled_share * squared[:, -1]
    errors = _weight(network, sigma) * both / apart.shape[2]
    evidence = -squared[:, :-1] / (2 * sigma.square()).float()[:, None]
    told = F.cross_entropy(evidence, labels, reduction="none")
    return errors + contrast * told.clamp(max=MOST_NATS)


def _noisy(x0: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    return x0 + sigma.to(x0.dtype)[:, None, None, None] * noise


def _weight(network: Network, sigma: Tensor) -> Tensor:
    data = network.config.sigma_data
    return ((sigma.square() + data**2) / (sigma * data).square()).float()
