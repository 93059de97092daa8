"""The measured quantities of every curve for some rows of a batch."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from entroscope_workers.numerics.entropy import (
    BITS_PER_NAT,
    cross_entropy,
    disagreement,
    moved_term,
    posterior_entropy,
    varentropy,
)
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group
from entroscope_workers.numerics.reverse_step import Reading


@dataclass(frozen=True, slots=True)
class Scored:
    """What the curves are computed from. "Labels" are those that some of the rows still need.

    Attributes:
        sigma: the noise level.
        logits: (rows, labels), ln p(z | path) up to a constant.
        own: (rows,), position of each row's own label among the labels.
        reading: the denoised data that the posterior is read with.
        moved: (rows, dim), D_moved - D_own, where guidance moves the state otherwise than the
            posterior is read.
        dropped: (rows,), posterior mass of pruned labels.
    """

    sigma: float
    logits: Tensor
    own: Tensor
    reading: Reading
    moved: Tensor | None
    dropped: Tensor


def curve_values(scored: Scored, groupings: Iterable[Grouping]) -> Tensor:
    """Return entropy, cross-entropy, production, varentropy and dropped mass of every curve.

    Returns:
        (curves, 5, rows), bits, production per unit of ln sigma.
    """
    return torch.stack([_values(scored, grouping) for grouping in groupings])


def _values(scored: Scored, grouping: Grouping) -> Tensor:
    members, groups = group_log_posterior(scored.logits, grouping)
    truth = own_group(scored.own, grouping)
    apart = scored.reading.apart
    spread = disagreement(apart, scored.reading.squared, members, groups, grouping)
    if scored.moved is not None:
        spread = spread + moved_term(apart, members, groups, grouping, scored.moved)
    return torch.stack(
        (
            posterior_entropy(groups),
            cross_entropy(groups, truth),
            BITS_PER_NAT * spread / scored.sigma**2,
            varentropy(groups),
            scored.dropped,
        )
    )
