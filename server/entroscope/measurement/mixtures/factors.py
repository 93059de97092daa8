"""Decisions of a Gaussian mixture in as few coordinates as they need: what quadrature can do."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Coordinates nearer than this share of the largest are the same.
SAME = 1e-9
#: More axes than this are not looked for: only a product of that many decisions could use them.
MAX_AXES = 12
#: Most coordinates of one decision that are integrated over.
MAX_DIMENSION = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """To which group does the component belong?

    Attributes:
        points: where the components are, each with 1 or 2 coordinates.
        weights: their prior, summing to 1.
        groups: the group of each.
    """

    points: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    groups: tuple[int, ...]


def decisions_of(means: Array, weights: Array, groups: Sequence[int]) -> list[Decision] | None:
    """Return independent decisions that together are the one asked for.

    The entropies and productions of independent decisions add. Coordinates that all components
    share, or that tell nothing of the group, are dropped.

    Args:
        means: (components, dimension), of one common standard deviation.
        weights: (components,), summing to 1.
        groups: the group of each component.
    Returns:
        None where a decision is left that needs more than MAX_DIMENSION coordinates.
    """
    points = coordinates(means)
    if points is None:
        return None
    rest = _Table(points, weights, np.array(groups, dtype=np.int64))
    parts_off: list[_Table] = []
    while (parts := _split(rest)) is not None:
        parts_off.append(parts[0])
        rest = parts[1]
    open_questions = [table for table in (*parts_off, rest) if len(np.unique(table.groups)) > 1]
    if any(table.points.shape[1] > MAX_DIMENSION for table in open_questions):
        return None
    return [table.decision() for table in open_questions]


def coordinates(means: Array) -> Array | None:
    """Return the means in orthonormal axes that they span, (components, axes), None for too many.

    Each axis is the shortest difference from the first mean that the axes before it leave: means
    that are a product of orthogonal pairs come out on the axes of those pairs.
    """
    left = means - means[0]
    scale = float(np.abs(left).max())
    columns: list[Array] = []
    while (far := np.linalg.norm(left, axis=1) > SAME * scale).any():
        if len(columns) == MAX_AXES:
            return None
        lengths = np.where(far, np.linalg.norm(left, axis=1), np.inf)
        nearest = int(np.argmin(lengths))
        axis = left[nearest] / lengths[nearest]
        columns.append(left @ axis)
        left = left - np.outer(columns[-1], axis)
    return np.stack(columns, axis=1) if columns else np.zeros((len(means), 1))


@dataclass(frozen=True, slots=True)
class _Table:
    points: Array  # (components, axes)
    weights: Array  # (components,)
    groups: Indices  # (components,)

    def decision(self) -> Decision:
        """Return the decision among the distinct points, in order."""
        rows = np.column_stack([_whole(self.points), self.groups])
        _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        weights = np.bincount(number.reshape(-1), self.weights)
        points = self.points[first].tolist()
        groups = np.unique(self.groups[first], return_inverse=True)[1]
        return Decision(tuple(map(tuple, points)), tuple(weights.tolist()), tuple(groups.tolist()))


def _split(table: _Table) -> tuple[_Table, _Table] | None:
    """Return what one axis decides and what the others do, where the two are independent."""
    axes = table.points.shape[1]
    for axis in range(axes) if axes > 1 else ():
        if (parts := _split_off(table, axis)) is not None:
            return parts
    return None


def _split_off(table: _Table, axis: int) -> tuple[_Table, _Table] | None:
    """Return the parts if weights and groups are both products of one axis and the others."""
    points = _whole(table.points)
    here, first_here = _numbered(points[:, [axis]])
    rest, first_rest = _numbered(np.delete(points, axis, axis=1))
    shape = len(first_here), len(first_rest)
    if shape[0] * shape[1] > len(points):
        return None
    mass, owner = np.zeros(shape), np.full(shape, -1)
    np.add.at(mass, (here, rest), table.weights)
    owner[here, rest] = table.groups
    here_group, rest_group = _numbered(owner)[0], _numbered(owner.T)[0]
    combinations = (here_group.max() + 1) * (rest_group.max() + 1)
    whole = (owner >= 0).all() and (owner[here, rest] == table.groups).all()
    independent = np.allclose(mass, np.outer(mass.sum(1), mass.sum(0)), rtol=1e-9, atol=0)
    if not (whole and independent and len(np.unique(owner)) == combinations):
        return None
    others = np.delete(table.points, axis, axis=1)
    return (
        _Table(table.points[first_here][:, [axis]], mass.sum(1), here_group),
        _Table(others[first_rest], mass.sum(0), rest_group),
    )


def _whole(points: Array) -> Array:
    """Return coordinates as whole numbers, equal where the coordinates are."""
    return np.rint(points / (SAME * (np.abs(points).max() or 1.0)))


def _numbered(rows: NDArray[np.float64] | Indices) -> tuple[Indices, Indices]:
    """Return the number of each row among the distinct ones, and where each of those is first."""
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1).astype(np.int64), first.astype(np.int64)
