"""Companions: which levels they take, and which trajectories have one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entroscope.measurement.plan.companions import (
    coarser,
    companion_counts,
    companion_depth,
    companion_levels,
)

NONE: frozenset[int] = frozenset()


@pytest.mark.parametrize(
    ("count", "once", "twice"),
    [
        (2, (0, 1), (0, 1)),
        (3, (0, 2), (0, 2)),
        (8, (0, 2, 4, 6, 7), (0, 4, 7)),
        (9, (0, 2, 4, 6, 8), (0, 4, 8)),
    ],
)
def test_a_companion_takes_every_second_level_and_the_last(
    count: int, once: tuple[int, ...], twice: tuple[int, ...]
) -> None:
    assert companion_levels(count, NONE) == (once, twice)


@given(st.integers(2, 40), st.sets(st.integers(1, 39), max_size=2))
def test_levels_where_guidance_begins_or_ends_are_levels_of_every_companion(
    count: int, edges: set[int]
) -> None:
    cuts = frozenset(edge for edge in edges if edge < count)
    levels = tuple(range(count))
    for coarse in companion_levels(count, cuts):
        assert cuts <= set(coarse) <= set(levels)
        assert coarse[0] == 0 and coarse[-1] == count - 1
        assert coarse == coarser(levels, cuts)
        levels = coarse


def test_a_quarter_has_one_and_a_quarter_of_these_has_two() -> None:
    assert companion_counts(256, 0.25, 1) == [64, 16]
    assert companion_counts(256, 0.0, 1) == [0, 0]
    assert companion_counts(10, 1.0, 1) == [10, 10]


@given(st.floats(0, 1), st.integers(1, 7), st.integers(0, 200))
def test_it_follows_from_the_number_of_the_trajectory_alone(
    share: float, turns: int, cut: int
) -> None:
    whole = companion_depth(range(300), share, turns)
    parts = [companion_depth(part, share, turns) for part in (range(cut), range(cut, 300))]
    assert (whole == np.concatenate(parts)).all()


def test_classes_that_take_turns_have_the_same_share_each() -> None:
    depth = companion_depth(range(160), 0.25, 4)
    assert [(depth[label::4] > 0).sum() for label in range(4)] == [10] * 4
