"""Entropy production: dH / d ln sigma from the disagreement of denoisers.

    production = 1 / (sigma^2 ln 2) E_x sum_Y p(Y|x) |D_Y(x) - Dbar(x)|^2       bits per ln sigma
    D_Y = sum_{z in Y} p(z|x) / p(Y|x) D_z,   Dbar = sum_Y p(Y|x) D_Y

by the I-MMSE relation (Guo, Shamai and Verdu 2005, theorem 2; guide: Production; the handbook's
"What is measured", production). Dbar is the mixture of the conditional denoisers, not the
unconditional network. Where the state is moved by another mean than the posterior is read with, as
under guidance read with the model's own kernels, the sum over Y gains

    2 sum_Y p_Y ln p_Y (D_Y - Dbar).(D_moved - Dbar)

What follows: `sampling/quantities.py` puts the value into the row PRODUCTION of
`entroscope/protocol/quantities.py`. From that row come its integral, MISSED
(`sampling/curve_table.py`), and in `entroscope/measurement/curves` the checks of the integral and
of sigma_max, windows and combined curves. Names, fields and columns follow from the table.

The formula is written again, with its reason there, in `numerics/mixtures.py` (known answers for
the tests), `entroscope/measurement/mixtures/quadrature.py` (exact curves, without torch) and
`entroscope/measurement/curves/reweighting.py` (another prior of a class, afterwards).
"""

import torch
from torch import Tensor

from entroscope_workers.numerics.entropy import BITS_PER_NAT
from entroscope_workers.numerics.posterior import Grouping


def production(
    sigma: float,
    apart: Tensor,
    squared: Tensor,
    members: Tensor,
    groups: Tensor,
    grouping: Grouping,
    moved: Tensor | None = None,
) -> Tensor:
    """Return each row's entropy production, in bits per unit of ln sigma; its mean is the curve's.

    Args:
        sigma: the noise level, above 0.
        apart: (batch, labels, dim), float64, D_z - D_ref for any one label; the reference cancels.
        squared: (batch, labels), |apart|^2.
        members: (batch, members), ln p(z|x) inside the partition.
        groups: (batch, groups), ln p(Y|x).
        moved: (batch, dim), float64, D_moved - D_ref, the denoised data that moved the state; None
            where the state is moved as the posterior is read.
    Returns:
        (batch,), float64; 0 or more without `moved`, of either sign with it.
    """
    spread = disagreement(apart, squared, members, groups, grouping)
    if moved is not None:
        spread = spread + moved_term(apart, members, groups, grouping, moved)
    return BITS_PER_NAT * spread / sigma**2


def disagreement(
    apart: Tensor, squared: Tensor, members: Tensor, groups: Tensor, grouping: Grouping
) -> Tensor:
    """Return sum_Y p(Y|x) |D_Y - Dbar|^2; arguments as in `production`.

    Returns:
        (batch,), float64, 0 or more, in squared units of the data.
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
    """Return 2 sum_Y p_Y ln p_Y (D_Y - Dbar).(D_moved - Dbar); arguments as in `production`.

    Returns:
        (batch,), float64, of either sign, in squared units of the data.
    """
    inside = apart[:, grouping.columns]
    weights = members.exp()  # (batch, members)
    mean = torch.bmm(weights[:, None], inside)[:, 0]
    direction = moved - mean
    along = torch.bmm(inside, direction[..., None])[..., 0]
    along = along - (mean * direction).sum(1, keepdim=True)
    logs = groups[:, grouping.group]
    return 2 * torch.where(weights > 0, weights * logs * along, 0).sum(1)
