"""Some rows of a batch and the labels that they still need, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from entroscope_workers.numerics.posterior import Grouping
from entroscope_workers.numerics.reverse_step import Reading


@dataclass(frozen=True, slots=True)
class Block:
    """A slice of a batch at one noise level. "Labels" are those that some of its rows need.

    Attributes:
        rows: the slice of the batch.
        kept: (labels,), their positions among the run labels.
        active: (rows, labels), whether the row still needs the label.
        label: (rows,), position of each row's own label among the labels.
        groupings: every curve's partition over the labels.
    """

    rows: slice
    kept: Tensor
    active: Tensor
    label: Tensor
    groupings: Sequence[Grouping]

    @classmethod
    def of(cls, rows: slice, active: Tensor, label: Tensor, groupings: Sequence[Grouping]) -> Self:
        """Args: active: (batch, run labels); label: (batch,), positions among the run labels."""
        needed = active[rows].any(0)
        kept = needed.nonzero()[:, 0]
        if len(kept) < len(needed):
            groupings = [grouping.among(kept) for grouping in groupings]
        position = torch.searchsorted(kept, label[rows])
        return cls(rows, kept, active[rows][:, kept], position, groupings)

    @property
    def evaluations(self) -> int:
        """Evaluations the block takes, one a row and label needed."""
        return int(self.active.sum())

    def spread_out(self, data: Tensor) -> Tensor:
        """Return (evaluations, *data) as (rows, labels, *data), 0 where a row needs no label."""
        if len(data) == self.active.numel():
            return data.reshape(*self.active.shape, *data.shape[1:])
        whole = data.new_zeros((*self.active.shape, *data.shape[1:]))
        whole[self.active] = data
        return whole

    def of_label(self, data: Tensor) -> Tensor:
        """Return the entry of each row's own label, (rows, *data), of (rows, labels, *data)."""
        return data[torch.arange(len(self.label), device=data.device), self.label]

    def read(self, data: Tensor) -> Reading:
        """Return denoised data (rows, labels, *data) as a posterior is scored with them."""
        needed = self.active if len(data) and not self.active.all() else None
        return Reading.relative(self.of_label(data), data, needed)
