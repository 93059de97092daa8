"""How many curves partitions ask for, and how many labels these hold, before any is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entroscope.protocol.errors import SpecError
from entroscope.protocol.partitions import Each, Group, Partition

#: Most curves of one run.
MAX_CURVES = 4096
#: Most labels that the groups of all curves of a run hold together: 2048 classes against the rest
#: each. A plan of that many takes some 100 MiB.
MAX_MEMBERS = 2**22


@dataclass(frozen=True, slots=True)
class CurveCount:
    """What partitions ask for.

    Attributes:
        members: labels of all groups of all curves; one that is in several counts as often.
    """

    curves: int
    members: int


def check_curves(partitions: Mapping[str, Partition], num_labels: int) -> None:
    """Refuse partitions that ask for more than one run may have.

    Raises:
        SpecError: the first partition with which it is too much, and how much it would be.
    """
    curves = members = 0
    for name, partition in partitions.items():
        count = count_curves(partition, num_labels)
        curves, members = curves + count.curves, members + count.members
        if curves > MAX_CURVES or members > MAX_MEMBERS:
            raise SpecError(
                f"partitions.{name}",
                _shown(partition),
                f"with it the run has {curves:,} curves whose groups hold {members:,} labels; "
                f"the limits are {MAX_CURVES:,} curves and {MAX_MEMBERS:,} labels",
            )


def count_curves(partition: Partition, num_labels: int) -> CurveCount:
    """Return what one partition asks for."""
    if partition is None:
        return CurveCount(1, num_labels)
    if isinstance(partition, str):
        return CurveCount(num_labels, num_labels**2)
    if isinstance(partition, Each):
        return CurveCount(len(partition.each), len(partition.each) * num_labels)
    count, _ = _count_groups(partition)
    return count


def _count_groups(groups: Sequence[Group]) -> tuple[CurveCount, int]:
    """Return what nested groups ask for, and the labels in them."""
    inner = [_count_groups(group.groups) for group in groups if group.groups is not None]
    labels = sum(len(group.labels or ()) for group in groups) + sum(size for _, size in inner)
    curves = 1 + sum(count.curves for count, _ in inner)
    return CurveCount(curves, labels + sum(count.members for count, _ in inner)), labels


def _shown(partition: Partition) -> Any:
    """Return a partition as an error repeats it."""
    if isinstance(partition, Each):
        return {"each": partition.each[:10]}
    return [group.name for group in partition[:10]] if isinstance(partition, list) else partition
