"""Exact denoisers, posteriors and entropies of Gaussian mixtures with one common deviation.

Entropy and production are written out here again, for the known answers that the tests hold
`entropy.py` and `production.py` against.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mixture:
    """sum_z pi_z N(mean_z, std^2 I).

    Attributes:
        means: (components, dim), float64.
        std: standard deviation in every coordinate.
        prior: (components,), float64, summing to 1.
    """

    means: Tensor
    std: float
    prior: Tensor

    def denoise(self, x: Tensor, sigma: Tensor, labels: Tensor) -> Tensor:
        """Return E[x0 | x, z] = (s^2 x + sigma^2 m_z) / (s^2 + sigma^2).

        Args:
            x: (evaluations, dim); sigma: (evaluations,); labels: (evaluations,), below 0 for
                E[x0 | x], where m_z is replaced by sum_z p(z|x) m_z.
        """
        share = (sigma**2 / (self.std**2 + sigma**2))[:, None]  # weight of the mean
        means = self.means[labels]
        if (free := labels < 0).any():
            means[free] = self.log_posterior(x[free], sigma[free]).exp() @ self.means
        return torch.lerp(x, means, share)

    def log_posterior(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """Return ln p(z | x), (batch, components), for x (batch, dim) at sigma, one or (batch,)."""
        level = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).expand(len(x))[:, None]
        # |x - m|^2 less |x|^2, which all components share.
        squared = self.means.square().sum(1) - 2 * x @ self.means.T
        logits = self.prior.log() - squared / (2 * (self.std**2 + level.square()))
        return torch.log_softmax(logits, dim=1)


def pair_entropy(r: float, nodes: int = 200) -> float:
    """Return H in nats of two components at distance r from their middle, in units of the noise.

    H = E_{u ~ N(r, 1)} ln(1 + e^{-2 r u})  (guide: Known answers), by Gauss-Hermite quadrature.
    """
    points, weights = _gauss_hermite(nodes)
    values = np.logaddexp(0, -2 * r * (points + r))
    return float((weights * values).sum() / math.sqrt(2 * math.pi))


@lru_cache
def _gauss_hermite(nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return points, weights


def pair_production(r: float, sigma: float, std: float = 1.0) -> float:
    """Return dH / d ln sigma in nats of the same two components, r = |m| / sqrt(std^2 + sigma^2).

    sigma^-2 E sum_z p_z |D_z - Dbar|^2 with D_+ - D_- = 2 m sigma^2 / (std^2 + sigma^2).
    """
    points, weights = _gauss_hermite(200)
    balance = 4 / (2 + 2 * np.cosh(np.minimum(2 * r * np.abs(points + r), 700)))  # 4 p_+ p_-
    mean = float((weights * balance).sum() / math.sqrt(2 * math.pi))
    return r**2 * sigma**2 / (std**2 + sigma**2) * mean


def line_truth(mixture: Mixture, sigma: float, points: int = 20001) -> tuple[float, float]:
    """Return H and production, in nats, of all classes of a mixture on a line, on a dense grid."""
    means, width = mixture.means[:, 0], math.hypot(mixture.std, sigma)
    ends = float(means.min()) - 9 * width, float(means.max()) + 9 * width
    x = torch.linspace(*ends, points, dtype=torch.float64)[:, None]
    log_posterior = mixture.log_posterior(x, sigma)
    bells = torch.exp(-((x - means) ** 2) / (2 * width**2)) / (width * math.sqrt(2 * math.pi))
    weight = (bells @ mixture.prior) * (ends[1] - ends[0]) / (points - 1)
    posterior = log_posterior.exp()
    denoised = torch.lerp(x, means[None], sigma**2 / width**2)
    centred = denoised - (posterior * denoised).sum(1, keepdim=True)
    entropy = torch.special.entr(posterior).sum(1)
    production = (posterior * centred**2).sum(1) / sigma**2
    return float(weight @ entropy), float(weight @ production)
