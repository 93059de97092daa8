"""Which trajectories have a companion, and on which levels it goes (guide: Error of the steps).

A companion starts where its trajectory starts and goes down every second noise level on the same
noise: what the two differ by is the error of the steps.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.spec import Spec

#: Share of the trajectories that have a companion, where a spec leaves it out.
DEFAULT_SHARE = 0.25
#: Companions of companions measure what is left after the correction.
DEPTH = 2


def coarser(levels: Sequence[int], cuts: frozenset[int]) -> tuple[int, ...]:
    """Return every second of some levels, with the last one and every cut among them.

    Args:
        levels: places in the run's grid, rising.
        cuts: levels at which guidance begins or has ended: the kernels of a coarser path must not
            straddle them.
    """
    kept, skipped = [levels[0]], False
    for level in levels[1:-1]:
        skipped = not skipped and level not in cuts
        if not skipped:
            kept.append(level)
    return (*kept, levels[-1])


def companion_levels(count: int, cuts: frozenset[int]) -> tuple[tuple[int, ...], ...]:
    """Return the levels of companions and those of the companions of companions.

    A grid of two levels has none to leave out.
    """
    levels = tuple(range(count))
    depths = []
    for _ in range(DEPTH):
        levels = coarser(levels, cuts)
        depths.append(levels)
    return tuple(depths)


def companion_depth(trajectories: Sequence[int], share: float, turns: int) -> NDArray[np.int64]:
    """Return how many companions each trajectory has, one after the other: 0 to DEPTH.

    It follows from the number of a trajectory alone: batches, workers and extensions do not matter.

    Args:
        share: of the trajectories that have one; the same share of these has one of its own.
        turns: how many classes of a complement run take turns; each gets its share.
    """
    rank = np.asarray(trajectories, dtype=np.int64) // turns
    depth = np.zeros(len(rank), dtype=np.int64)
    chosen = np.ones(len(rank), dtype=bool)
    for _ in range(DEPTH):
        before, after = np.floor(rank * share), np.floor((rank + 1) * share)
        chosen &= after > before
        depth += chosen
        rank = before.astype(np.int64)
    return depth


def companions_of(spec: Spec) -> float:
    """Return the share of a spec, filled in; paths of data are corrected by a second reading."""
    if spec.companions is not None:
        return spec.companions
    return DEFAULT_SHARE if spec.paths_from == "model" else 0.0


def companion_counts(trajectories: int, share: float, turns: int) -> list[int]:
    """Return how many trajectories have a companion, and how many a companion's companion."""
    depth = companion_depth(range(trajectories), share, turns)
    return [int((depth > level).sum()) for level in range(DEPTH)]
