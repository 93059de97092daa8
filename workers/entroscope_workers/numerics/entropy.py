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
    denoised: Tensor, members: Tensor, groups: Tensor, grouping: Grouping, sigma: float
) -> Tensor:
    """Return entropy production by I-MMSE, in bits per unit of ln sigma (science.md, section 4).

        sigma^-2 sum_Y p(Y|x) |D_Y - Dbar|^2,  D_Y = sum_{z in Y} p(z|x)/p(Y|x) D_z

    Args:
        denoised: (batch, labels, *data), D_z(x; sigma).
        members: (batch, members), ln p(z|x) inside the partition.
        groups: (batch, groups), ln p(Y|x).
    Returns:
        (batch,), float64.
    """
    inside = denoised[:, grouping.columns].flatten(2).double()  # (batch, members, dim)
    weights = members.exp()
    centred = inside - torch.einsum("bz,bzd->bd", weights, inside)[:, None]
    if grouping.num_groups == len(grouping.columns):  # every label its own group, D_Y = D_z
        return BITS_PER_NAT * sigma**-2 * (weights * centred.square().sum(2)).sum(1)
    within = (members - groups[:, grouping.group]).exp()  # p(z|x) / p(Y|x)
    shape = (len(inside), grouping.num_groups, inside.shape[2])
    means = torch.zeros(shape, dtype=inside.dtype, device=inside.device)
    means = means.index_add(1, grouping.group, within[..., None] * centred)  # D_Y - Dbar
    return BITS_PER_NAT * sigma**-2 * (groups.exp() * means.square().sum(2)).sum(1)
