"""The Gaussian kernels of the reverse stochastic chain (guide: The posterior)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Kernel:
    """One reverse step a -> b: x' ~ N(keep x + (1 - keep) D, std^2), keep = b^2/a^2."""

    keep: float
    std: float


def reverse_kernel(sigma: float, sigma_next: float) -> Kernel:
    """Return the posterior of the Markov chain x_b -> x_a given x0 = D, for 0 < b < a."""
    if not 0 < sigma_next < sigma:
        raise ValueError(f"a reverse step needs 0 < b < a, got a={sigma!r}, b={sigma_next!r}")
    keep = (sigma_next / sigma) ** 2
    return Kernel(keep, sigma_next * (1 - keep) ** 0.5)


def kernel_mean(kernel: Kernel, x: Tensor, denoised: Tensor) -> Tensor:
    """Return keep x + (1 - keep) D."""
    return kernel.keep * x + (1 - kernel.keep) * denoised


def log_likelihoods(kernel: Kernel, residual: Tensor, apart: Tensor, squared: Tensor) -> Tensor:
    """Return -|x' - mean_z|^2 / (2 var) of every label, up to a constant common to all labels.

    With the mean of a reference label, mean_z = mean_ref + (1 - keep) (D_z - D_ref): the common
    |x' - mean_ref|^2 is left out before it is rounded, so that float32 states lose nothing where
    the labels hardly differ.

    Args:
        residual: (batch, dim), float64, x' - mean_ref.
        apart: (batch, labels, dim), float64, D_z(x; a) - D_ref(x; a).
        squared: (batch, labels), |apart|^2.
    Returns:
        (batch, labels), float64.
    """
    share = 1 - kernel.keep
    cross = torch.bmm(apart, residual[..., None])[..., 0]
    return (2 * share * cross - share**2 * squared) / (2 * kernel.std**2)
