"""Some rows of a batch and the labels that they still need, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from entroscope_workers.numerics.posterior import Grouping


@dataclass(frozen=True, slots=True)
class Block:
    """A slice of a batch at one noise level. "Labels" are those that some of its rows need.

    Attributes:
        rows: the slice of the batch.
        kept: (labels,), their positions among the run labels.
        active: (rows, labels), whether the row still needs the label.
        own: (rows,), position of each row's own label among the labels.
        groupings: every curve's partition over the labels.
    """

    rows: slice
    kept: Tensor
    active: Tensor
    own: Tensor
    groupings: Sequence[Grouping]

    @classmethod
    def of(cls, rows: slice, active: Tensor, own: Tensor, groupings: Sequence[Grouping]) -> Self:
        """Args: active: (batch, run labels); own: (batch,)."""
        needed = active[rows].any(0)
        kept = needed.nonzero()[:, 0]
        if len(kept) < len(needed):
            groupings = [grouping.among(kept) for grouping in groupings]
        place = torch.searchsorted(kept, own[rows])
        return cls(rows, kept, active[rows][:, kept], place, groupings)

    @property
    def pairs(self) -> int:
        """Evaluations the block takes, one a row and label needed."""
        return int(self.active.sum())

    def spread_out(self, pairs: Tensor) -> Tensor:
        """Return one datum a needed pair, (pairs, *data), as (rows, labels, *data), 0 elsewhere."""
        if len(pairs) == self.active.numel():
            return pairs.reshape(*self.active.shape, *pairs.shape[1:])
        whole = pairs.new_zeros((*self.active.shape, *pairs.shape[1:]))
        whole[self.active] = pairs
        return whole

    def of_own(self, data: Tensor) -> Tensor:
        """Return each row's own entry of (rows, labels, *data)."""
        return data[torch.arange(len(self.own), device=data.device), self.own]

    def read(self, data: Tensor) -> "Reading":
        """Return denoised data (rows, labels, *data) of these rows as a posterior reads them."""
        own = self.of_own(data)
        apart = (data - own[:, None]).flatten(2).double()
        if len(data) and not self.active.all():
            apart = apart * self.active[..., None]
        return Reading(own, apart, apart.square().sum(2))


@dataclass(frozen=True, slots=True)
class Reading:
    """Denoised data as a posterior reads them.

    Attributes:
        own: (rows, *data), D of each row's own label.
        apart: (rows, labels, dim), float64, D_z - D_own; 0 where the row needs no label z.
        squared: (rows, labels), |apart|^2.
    """

    own: Tensor
    apart: Tensor
    squared: Tensor
