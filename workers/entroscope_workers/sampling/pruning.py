"""Which labels of which trajectory are still evaluated (science.md, section 6)."""

from collections.abc import Iterator

import torch
from torch import Tensor


class Pruning:
    """Drops labels whose posterior has fallen below a threshold; with 0 it drops nothing.

    p(z|x) is a martingale along the reverse chain, so that a label dropped at mass eps would have
    kept the expected mass eps for ever. A trajectory's own label moves it and is never dropped.

    Attributes:
        active: (batch, labels), whether the label is still evaluated.
        dropped: (batch,), float64, posterior mass of the dropped labels, had they been kept.
    """

    def __init__(self, threshold: float, own: Tensor, num_labels: int) -> None:
        self._threshold = threshold
        self._own = torch.nn.functional.one_hot(own, num_labels).bool()
        self.active = torch.ones_like(self._own)
        self.dropped = torch.zeros(len(own), dtype=torch.float64, device=own.device)

    def prune(self, logits: Tensor) -> None:
        """Drop what has fallen below the threshold: its log-posterior becomes -inf, in place."""
        if self._threshold == 0:
            return
        posterior = torch.softmax(logits, 1)
        drop = self.active & (posterior < self._threshold) & ~self._own
        mass = torch.where(drop, posterior, 0).sum(1)
        self.dropped = self.dropped + (1 - self.dropped) * mass
        self.active &= ~drop
        logits.masked_fill_(~self.active, -torch.inf)

    def slices(self, most_values: int) -> Iterator[slice]:
        """Cut the batch so that the labels of a slice's rows, side by side, fit.

        Args:
            most_values: largest product of the rows of a slice and the labels they need together.
        """
        counts: list[int] = self.active.sum(1).tolist()
        start, needed, labels = 0, 0, self.active.shape[1]
        for row, count in enumerate(counts):
            needed += count
            if row > start and (row + 1 - start) * min(needed, labels) > most_values:
                yield slice(start, row)
                start, needed = row, count
        yield slice(start, len(counts))
