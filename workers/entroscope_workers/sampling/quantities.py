"""The measured quantities of every curve for some rows of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from entroscope.protocol.quantities import (
    CROSS_ENTROPY,
    DROPPED,
    ENTROPY,
    PRODUCTION,
    VARENTROPY,
)
from entroscope_workers.numerics.entropy import (
    cross_entropy,
    posterior_entropy,
    varentropy,
)
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group
from entroscope_workers.numerics.production import production
from entroscope_workers.numerics.reverse_step import Reading


@dataclass(frozen=True, slots=True)
class Scored:
    """What the curves are computed from. "Labels" are those that some of the rows still need.

    Attributes:
        sigma: the noise level.
        logits: (rows, labels), ln p(z | path) up to a constant.
        label: (rows,), position of each row's own label among the labels.
        reading: the denoised data that the posterior is read with.
        moved: (rows, dim), D_moved - D_own, where guidance moves the state otherwise than the
            posterior is read.
        dropped: (rows,), posterior mass of pruned labels.
    """

    sigma: float
    logits: Tensor
    label: Tensor
    reading: Reading
    moved: Tensor | None
    dropped: Tensor


#: What is measured of one state, by row; a chain adds CHAIN and its variance.
MEASURED = (ENTROPY, CROSS_ENTROPY, PRODUCTION, VARENTROPY, DROPPED)


def curve_values(scored: Scored, groupings: Iterable[Grouping]) -> Tensor:
    """Return MEASURED of every curve, in the units of the quantities.

    Returns:
        (curves, quantities, rows), float64, each quantity in its row.
    Raises:
        FloatingPointError: the denoised data are not finite.
    """
    values = torch.stack([_values(scored, grouping) for grouping in groupings])
    if not values[:, PRODUCTION.row].isfinite().all():
        raise FloatingPointError(f"the denoised data are not finite at sigma {scored.sigma:.4g}")
    return values


def _values(scored: Scored, grouping: Grouping) -> Tensor:
    members, groups = group_log_posterior(scored.logits, grouping)
    truth = own_group(scored.label, grouping)
    apart, squared = scored.reading.apart, scored.reading.squared
    values = {
        ENTROPY: posterior_entropy(groups),
        CROSS_ENTROPY: cross_entropy(groups, truth),
        PRODUCTION: production(
            scored.sigma, apart, squared, members, groups, grouping, scored.moved
        ),
        VARENTROPY: varentropy(groups),
        DROPPED: scored.dropped,
    }
    return torch.stack([values[quantity] for quantity in MEASURED])
