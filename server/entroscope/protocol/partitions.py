"""Partitions of labels and the curves they ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Group, Partition, slug


@dataclass(frozen=True, slots=True)
class Curve:
    """One decision among groups of labels.

    Attributes:
        key: its name in results, e.g. "classes" or "rest.bag".
        partition: the partition of the spec it belongs to.
        path: names of the groups it lies inside of (the label, for each-vs-rest).
        names: name of each group.
        groups: labels of each group, as indices.
    """

    key: str
    partition: str
    path: tuple[str, ...]
    title: str
    names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]

    def renumbered(self, place: Mapping[int, int]) -> Self:
        """Return the curve with every label index replaced by its position in another list."""
        groups = tuple(tuple(place[label] for label in group) for group in self.groups)
        return replace(self, groups=groups)


def curves_of(partitions: Mapping[str, Partition], labels: Sequence[str]) -> tuple[Curve, ...]:
    """Return the curves of all partitions, in the order of the spec.

    Raises:
        SpecError: unknown label, a label twice, or fewer than two groups.
    """
    curves: list[Curve] = []
    for name, partition in partitions.items():
        if partition is None:
            curves.append(_every_class(name, labels))
        elif isinstance(partition, str):
            curves.extend(_each_against_rest(name, labels))
        else:
            curves.append(_grouped(name, partition, labels))
    return tuple(curves)


def find_label(label: str | int, labels: Sequence[str], field: str) -> int:
    """Return the index of a label given by name or by index."""
    if isinstance(label, str) and label in labels:
        return labels.index(label)
    if isinstance(label, int) and 0 <= label < len(labels):
        return label
    known = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
    raise SpecError(field, label, f"no label {label!r}; the labels are {known}")


def _every_class(name: str, labels: Sequence[str]) -> Curve:
    if len(labels) < 2:
        raise SpecError(f"partitions.{name}", None, f"needs 2 labels or more, has {len(labels)}")
    groups = tuple((index,) for index in range(len(labels)))
    return Curve(name, name, (), "all classes", tuple(labels), groups)


def _each_against_rest(name: str, labels: Sequence[str]) -> list[Curve]:
    everything = range(len(labels))
    slugs = unique_slugs(labels)
    return [
        Curve(
            key=f"{name}.{slugs[index]}",
            partition=name,
            path=(label,),
            title=f"{label} against the rest",
            names=(label, "rest"),
            groups=((index,), tuple(other for other in everything if other != index)),
        )
        for index, label in enumerate(labels)
    ]


def unique_slugs(names: Sequence[str]) -> list[str]:
    """Return one slug a name; the later of two equal ones gets its index appended."""
    taken: set[str] = set()
    slugs = []
    for index, name in enumerate(names):
        own = slug(name)
        own = f"{own}-{index}" if own in taken else own
        taken.add(own)
        slugs.append(own)
    return slugs


def _grouped(name: str, groups: Sequence[Group], labels: Sequence[str]) -> Curve:
    field = f"partitions.{name}"
    if len(groups) < 2:
        raise SpecError(field, [group.name for group in groups], "needs 2 groups or more")
    owner: dict[int, str] = {}
    members = []
    for position, group in enumerate(groups):
        place = f"{field}.{position}.labels"
        indices = tuple(find_label(label, labels, place) for label in group.labels)
        for index in indices:
            if index in owner:
                raise SpecError(
                    place, labels[index], f"{labels[index]!r} is in {owner[index]!r} already"
                )
            owner[index] = group.name
        members.append(indices)
    names = tuple(group.name for group in groups)
    if len(set(names)) < len(names):
        raise SpecError(field, list(names), "two groups have the same name")
    return Curve(name, name, (), " / ".join(names), names, tuple(members))
