"""Which labels of which trajectory are still evaluated (guide: Pruning)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Kept:
    """What pruning had left at one step.

    Attributes:
        active: (batch, labels), whether the label was still evaluated.
        dropped: (batch,), float64, posterior mass of the labels that were not.
    """

    active: Tensor
    dropped: Tensor

    def of(self, rows: Sequence[int]) -> Self:
        """Return the same of some trajectories."""
        at = torch.tensor(rows, device=self.active.device)
        return type(self)(self.active[at], self.dropped[at])


class Pruning:
    """Drops labels whose posterior has fallen below a threshold; with 0 it drops nothing.

    p(z|x) is a martingale along the reverse chain, so that a label dropped at mass eps would have
    kept the expected mass eps for ever. A trajectory's own label moves it and is never dropped.

    Attributes:
        active: (batch, labels), whether the label is still evaluated.
        dropped: (batch,), float64, posterior mass of the dropped labels, had they been kept.
    """

    def __init__(self, threshold: float, label: Tensor, num_labels: int) -> None:
        """Args: label: (batch,), position of each trajectory's label among the run labels."""
        self._threshold = threshold
        self._moving = torch.nn.functional.one_hot(label, num_labels).bool()
        self.active = torch.ones_like(self._moving)
        self.dropped = torch.zeros(len(label), dtype=torch.float64, device=label.device)

    def follow(self, kept: Kept, logits: Tensor) -> None:
        """Drop what another chain has dropped, such as the one that this is a companion of."""
        self.active, self.dropped = kept.active, kept.dropped
        logits.masked_fill_(~self.active, -torch.inf)

    @property
    def kept(self) -> Kept:
        """What is left now."""
        return Kept(self.active.clone(), self.dropped)

    def prune(self, logits: Tensor) -> None:
        """Drop what has fallen below the threshold: its log-posterior becomes -inf, in place."""
        if self._threshold == 0:
            return
        posterior = torch.softmax(logits, 1)
        drop = self.active & (posterior < self._threshold) & ~self._moving
        mass = torch.where(drop, posterior, 0).sum(1)
        self.dropped = self.dropped + (1 - self.dropped) * mass
        self.active &= ~drop
        logits.masked_fill_(~self.active, -torch.inf)
