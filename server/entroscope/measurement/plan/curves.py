"""Partitions of labels and the curves they ask for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from entroscope.measurement.plan.curve_count import check_curves
from entroscope.protocol.errors import SpecError
from entroscope.protocol.partitions import Each, Group, Partition
from entroscope.protocol.patience import wanted
from entroscope.protocol.slugs import unique_slugs

#: How deep groups may be nested: decisions from a tree's root to its leaves.
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """One decision among groups of labels.

    Attributes:
        key: its name in results, e.g. "classes" or "rest.bag".
        partition: the partition of the spec it belongs to.
        path: names of the groups it lies inside of (the label, for each-vs-rest).
        names: name of each group.
        groups: labels of each group, as indices.
        leaves: labels of each innermost group, at the root of a tree; empty for any other curve.
    """

    key: str
    partition: str
    path: tuple[str, ...]
    title: str
    names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    leaves: tuple[tuple[int, ...], ...] = ()

    def renumbered(self, positions: Mapping[int, int]) -> Self:
        """Return the curve with every label index replaced by its position in another list."""
        groups, leaves = (
            tuple(tuple(positions[label] for label in group) for group in some)
            for some in (self.groups, self.leaves)
        )
        return replace(self, groups=groups, leaves=leaves)


def curves_of(partitions: Mapping[str, Partition], labels: Sequence[str]) -> tuple[Curve, ...]:
    """Return the curves of all partitions, in the order of the spec.

    Raises:
        SpecError: unknown label, a label twice, fewer than two groups, nested too deeply, or more
            curves than a run may have.
        Abandoned: nobody waits for them any more.
    """
    check_curves(partitions, len(labels))
    curves: list[Curve] = []
    for name, partition in wanted(partitions.items()):
        if partition is None:
            curves.append(_every_class(name, labels))
        elif isinstance(partition, str):
            curves.extend(_each_against_rest(name, labels, range(len(labels))))
        elif isinstance(partition, Each):
            curves.extend(_each_against_rest(name, labels, _chosen(name, partition, labels)))
        else:
            curves.extend(_grouped(name, partition, labels))
    return tuple(curves)


def find_label(label: str | int, labels: Sequence[str], field: str) -> int:
    """Return the index of a label given by name or by index."""
    if isinstance(label, str) and label in labels:
        return labels.index(label)
    if isinstance(label, int) and 0 <= label < len(labels):
        return label
    known = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
    raise SpecError(field, label, f"no label {label!r}; the labels are {known}")


def named_labels(document: Any, labels: Sequence[str]) -> Any:
    """Return the document of partitions with every label by its name, where names differ."""
    if isinstance(document, dict):
        return {name: named_labels(value, labels) for name, value in document.items()}
    if isinstance(document, list):
        return [named_labels(value, labels) for value in document]
    is_index = isinstance(document, int) and document < len(labels)
    if is_index and labels.index(labels[document]) == document:
        return labels[document]
    return document


def _every_class(name: str, labels: Sequence[str]) -> Curve:
    if len(labels) < 2:
        raise SpecError(f"partitions.{name}", None, f"needs 2 labels or more, has {len(labels)}")
    groups = tuple((index,) for index in range(len(labels)))
    return Curve(name, name, (), "all classes", tuple(labels), groups)


def _chosen(name: str, partition: Each, labels: Sequence[str]) -> list[int]:
    """Return the labels that are set against the rest, each once, in their order."""
    field = f"partitions.{name}.each"
    chosen: set[int] = set()
    for label in partition.each:
        index = find_label(label, labels, field)
        if index in chosen:
            raise SpecError(field, labels[index], f"{labels[index]!r} is there twice")
        chosen.add(index)
    return sorted(chosen)


def _each_against_rest(name: str, labels: Sequence[str], chosen: Iterable[int]) -> list[Curve]:
    if len(labels) < 2:
        reason = f"needs 2 labels or more, has {len(labels)}"
        raise SpecError(f"partitions.{name}", list(labels), reason)
    everything = tuple(range(len(labels)))
    slugs = unique_slugs(labels)
    return [
        Curve(
            key=f"{name}.{slugs[index]}",
            partition=name,
            path=(labels[index],),
            title=f"{labels[index]} against the rest",
            names=(labels[index], "rest"),
            groups=((index,), everything[:index] + everything[index + 1 :]),
        )
        for index in chosen
    ]


@dataclass(frozen=True, slots=True)
class _Branch:
    """A group that has been checked; `branches` is empty for a group of labels."""

    name: str
    members: tuple[int, ...]
    branches: tuple["_Branch", ...]


def _grouped(name: str, groups: Sequence[Group], labels: Sequence[str]) -> list[Curve]:
    """Return the decision at the root and those inside its groups, outer ones first."""
    branches = _Branches(labels).read(groups, f"partitions.{name}", 1)
    root, *inner = _decisions(name, branches, (), ())
    leaves = tuple(leaf.members for leaf in _leaves(branches)) if inner else ()
    return [replace(root, leaves=leaves), *inner]


def _decisions(
    name: str, branches: tuple[_Branch, ...], path: tuple[str, ...], slugs: tuple[str, ...]
) -> Iterator[Curve]:
    names = tuple(branch.name for branch in branches)
    yield Curve(
        key=".".join([name, *slugs]),
        partition=name,
        path=path,
        title="".join(f"{part}: " for part in path) + " / ".join(names),
        names=names,
        groups=tuple(branch.members for branch in branches),
    )
    for branch, name_slug in zip(branches, unique_slugs(names), strict=True):
        if branch.branches:
            yield from _decisions(name, branch.branches, (*path, branch.name), (*slugs, name_slug))


class _Branches:
    """Reads nested groups and checks them: every label once, two groups or more everywhere."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels, self._owner = labels, dict[int, str]()

    def read(self, groups: Sequence[Group], field: str, depth: int) -> tuple[_Branch, ...]:
        names = [group.name for group in groups]
        if len(groups) < 2:
            raise SpecError(field, names, f"needs 2 groups or more, has {len(groups)}")
        if len(set(names)) < len(names):
            raise SpecError(field, names, "two groups have the same name")
        if depth > MAX_DEPTH:
            raise SpecError(field, names, f"groups may be nested {MAX_DEPTH} deep at most")
        return tuple(
            self._branch(group, f"{field}.{position}", depth)
            for position, group in enumerate(groups)
        )

    def _branch(self, group: Group, field: str, depth: int) -> _Branch:
        if group.groups is not None:
            branches = self.read(group.groups, f"{field}.groups", depth + 1)
            members = tuple(label for branch in branches for label in branch.members)
            return _Branch(group.name, members, branches)
        return _Branch(group.name, tuple(self._members(group, f"{field}.labels")), ())

    def _members(self, group: Group, field: str) -> Iterator[int]:
        for label in group.labels or ():
            index = find_label(label, self._labels, field)
            if index in self._owner:
                taken = self._labels[index]
                raise SpecError(field, taken, f"{taken!r} is in {self._owner[index]!r} already")
            self._owner[index] = group.name
            yield index


def _leaves(branches: tuple[_Branch, ...]) -> Iterator[_Branch]:
    for branch in branches:
        if branch.branches:
            yield from _leaves(branch.branches)
        else:
            yield branch
