"""The measured quantities, per trajectory, in bits (science.md, sections 2 to 4)."""

import math

import torch
from torch import Tensor

from entroscope_workers.numerics.posterior import Grouping

BITS_PER_NAT = 1 / math.log(2)


def posterior_entropy(log_posterior: Tensor) -> Tensor:
    """Return -sum_Y p(Y|x) log2 p(Y|x) of each row of (batch, groups) natural logarithms."""
    entropy: Tensor = BITS_PER_NAT * torch.special.entr(log_posterior.exp()).sum(1)
    return entropy


def varentropy(log_posterior: Tensor) -> Tensor:
    """Return the variance of -log2 p(Y|x) under p(Y|x), of each row of (batch, groups)."""
    p = log_posterior.exp()
    surprise = torch.where(p > 0, -BITS_PER_NAT * log_posterior, 0)
    mean = (p * surprise).sum(1, keepdim=True)
    return (p * (surprise - mean).square()).sum(1)


def cross_entropy(log_posterior: Tensor, truth: Tensor) -> Tensor:
    """Return -log2 p(Y*|x) of the true group of each row; NaN where the truth is -1 (no group)."""
    picked = log_posterior.gather(1, truth.clamp(min=0)[:, None])[:, 0]
    return torch.where(truth >= 0, -BITS_PER_NAT * picked, torch.nan)


def disagreement(
    apart: Tensor, squared: Tensor, members: Tensor, groups: Tensor, grouping: Grouping
) -> Tensor:
    """Return sum_Y p(Y|x) |D_Y - Dbar|^2, D_Y = sum_{z in Y} p(z|x)/p(Y|x) D_z  (section 4).

    Entropy production by I-MMSE is its mean over x, divided by sigma^2.

    Args:
        apart: (batch, labels, dim), float64, D_z - D_ref for any one label; the reference cancels.
        squared: (batch, labels), |apart|^2.
        members: (batch, members), ln p(z|x) inside the partition.
        groups: (batch, groups), ln p(Y|x).
    Returns:
        (batch,), float64.
    """
    weights = torch.zeros(squared.shape, dtype=apart.dtype, device=apart.device)
    weights[:, grouping.columns] = members.exp()
    mean = torch.bmm(weights[:, None], apart)[:, 0]  # Dbar - D_ref
    if grouping.singletons:  # D_Y = D_z
        spread = (weights * squared).sum(1)
    else:
        within = torch.zeros(
            (len(apart), grouping.num_groups, apart.shape[1]),
            dtype=apart.dtype,
            device=apart.device,
        )
        # A label that was pruned has no share, nor has any of a group that was pruned.
        share = (members - groups[:, grouping.group]).exp().nan_to_num(0.0)
        within[:, grouping.group, grouping.columns] = share
        spread = (groups.exp() * torch.bmm(within, apart).square().sum(2)).sum(1)
    return (spread - mean.square().sum(1)).clamp(min=0)


def moved_term(
    apart: Tensor, members: Tensor, groups: Tensor, grouping: Grouping, moved: Tensor
) -> Tensor:
    """Return 2 sum_Y p_Y ln p_Y (D_Y - Dbar).(D_moved - Dbar), which guided paths add to the
    disagreement where the posterior is read with the model's own kernels (section 4).

    Args:
        apart, members, groups: as in `disagreement`.
        moved: (batch, dim), float64, D_moved - D_ref, the denoised data that moved the state.
    Returns:
        (batch,), float64; of either sign.
    """
    own = apart[:, grouping.columns]
    weights = members.exp()  # (batch, members)
    mean = torch.bmm(weights[:, None], own)[:, 0]
    direction = moved - mean
    along = torch.bmm(own, direction[..., None])[..., 0] - (mean * direction).sum(1, keepdim=True)
    logs = groups[:, grouping.group]
    return 2 * torch.where(weights > 0, weights * logs * along, 0).sum(1)
