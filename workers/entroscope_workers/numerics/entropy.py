"""Entropies of a posterior, per trajectory, in bits (guide: What is measured; the handbook's
"What is measured", entropy and cross-entropy). Production is in `production.py`."""

import math

import torch
from torch import Tensor

BITS_PER_NAT = 1 / math.log(2)


def posterior_entropy(log_posterior: Tensor) -> Tensor:
    """Return -sum_Y p(Y|x) log2 p(Y|x), 0 to log2 groups, of each row; its mean is H[Y|X_sigma].

    Args:
        log_posterior: (batch, groups), ln p(Y|x), -inf where pruned.
    Returns:
        (batch,), bits.
    """
    entropy: Tensor = BITS_PER_NAT * torch.special.entr(log_posterior.exp()).sum(1)
    return entropy


def varentropy(log_posterior: Tensor) -> Tensor:
    """Return the variance of -log2 p(Y|x) under p(Y|x), (batch,), in bits^2, of ln p(Y|x)."""
    p = log_posterior.exp()
    surprise = torch.where(p > 0, -BITS_PER_NAT * log_posterior, 0)
    mean = (p * surprise).sum(1, keepdim=True)
    return (p * (surprise - mean).square()).sum(1)


def cross_entropy(log_posterior: Tensor, truth: Tensor) -> Tensor:
    """Return -log2 p(Y*|x) of the true group of each row, (batch,), bits, 0 or more.

    Args:
        log_posterior: (batch, groups), ln p(Y|x).
        truth: (batch,), the true group; -1 for none, whose value is NaN.
    """
    picked = log_posterior.gather(1, truth.clamp(min=0)[:, None])[:, 0]
    return torch.where(truth >= 0, -BITS_PER_NAT * picked, torch.nan)
