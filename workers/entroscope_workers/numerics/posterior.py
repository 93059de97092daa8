"""Posteriors of labels and of groups of labels, in float64 logarithms."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Grouping:
    """A partition over the labels of a run: which columns it uses and the group of each.

    Attributes:
        columns: (members,), int64, columns of the run's label list that the partition covers.
        group: (members,), int64, the group of each of those columns.
        num_groups: how many groups there are.
        singletons: whether every group has one label only.
    """

    columns: Tensor
    group: Tensor
    num_groups: int
    singletons: bool

    @classmethod
    def of(cls, groups: tuple[tuple[int, ...], ...], device: torch.device) -> Self:
        """Build from groups of column indices."""
        columns = [column for members in groups for column in members]
        group = [index for index, members in enumerate(groups) for _ in members]
        return cls(
            torch.tensor(columns, device=device),
            torch.tensor(group, device=device),
            len(groups),
            len(columns) == len(groups),
        )

    def among(self, kept: Tensor) -> Self:
        """Return the partition over some columns only, renumbered as they stand in `kept`.

        Groups keep their numbers; one that has lost all of its columns has mass 0.

        Args:
            kept: (kept columns,), rising.
        """
        position = torch.searchsorted(kept, self.columns).clamp(max=len(kept) - 1)
        present = kept[position] == self.columns
        return replace(self, columns=position[present], group=self.group[present])


def group_log_posterior(logits: Tensor, grouping: Grouping) -> tuple[Tensor, Tensor]:
    """Return ln p(z | x) inside the partition and ln p(Y | x) of its groups.

    Where all of the partition's labels have been pruned its posterior is not known; it is called
    uniform, for such a trajectory ends elsewhere and counts for no decision among them.

    Args:
        logits: (batch, labels), log-posteriors up to a constant.
    Returns:
        members: (batch, members), ln p(z | x, z in the partition).
        groups: (batch, groups), ln sum_{z in Y} p(z | x).
    """
    inside = logits[:, grouping.columns]
    known = inside.isfinite().any(1, keepdim=True)
    members = torch.log_softmax(torch.where(known, inside, 0), dim=1)
    shape = (len(logits), grouping.num_groups)
    index = grouping.group.expand(len(logits), -1)
    peak = torch.full(shape, -torch.inf, dtype=members.dtype, device=members.device)
    peak = peak.scatter_reduce(1, index, members, "amax")  # (batch, groups)
    peak = peak.clamp(min=torch.finfo(members.dtype).min)  # a group of mass 0 has no peak
    total = torch.zeros(shape, dtype=members.dtype, device=members.device)
    total = total.scatter_add(1, index, (members - peak.gather(1, index)).exp())
    return members, peak + total.log()


def own_group(labels: Tensor, grouping: Grouping) -> Tensor:
    """Return the group of each trajectory's own column, or -1 where the partition leaves it out.

    Args:
        labels: (batch,), columns of the run's label list.
    """
    if not len(grouping.columns):
        return torch.full_like(labels, -1)
    matches = labels[:, None] == grouping.columns  # (batch, members)
    inside = matches.any(1)
    return torch.where(inside, grouping.group[matches.int().argmax(1)], -1)
