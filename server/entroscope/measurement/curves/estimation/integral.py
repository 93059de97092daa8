"""Integrals over ln sigma on the noise levels of a run."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Points of the polynomial through each step's ends and their neighbours.
POINTS = 4


def integral_weights(sigmas: Array, jumps: Iterable[int] = ()) -> Array:
    """Return W with (W f)_k = the integral of f over -ln sigma from the first level to level k.

    Of fourth order: over each step the cubic through its two ends and their neighbours is
    integrated. Where f jumps no polynomial reaches across, and the step before a jump ends with
    what f was at its beginning.

    Args:
        sigmas: (steps,), decreasing.
        jumps: first steps of the parts between which f is not continuous.
    Returns:
        (steps, steps).
    """
    times, count = -np.log(sigmas), len(sigmas)
    edges = [0, *sorted(jumps), count]
    steps = np.zeros((count, count))  # row i: the step that ends at level i
    for first, end in pairwise(edges):
        for start in range(first, end - 1):
            places, weights = _step_weights(times, start, first, end)
            steps[start + 1, places] = weights
        if end < count:
            steps[end, end - 1] = times[end] - times[end - 1]
    return np.cumsum(steps, axis=0)


def _step_weights(
    times: Array, start: int, first: int, end: int
) -> tuple[NDArray[np.int64], Array]:
    """Return the levels and weights of the step from `start` to the next level."""
    places, at = _places(times, start, first, end)
    moments = 1 / np.arange(1, len(at) + 1)  # of 1, t, t^2, ... over the unit interval
    weights = np.linalg.solve(np.vander(at, len(at), increasing=True).T, moments)
    return places, (times[start + 1] - times[start]) * weights


#: Points of a refined curve between two levels.
BETWEEN = 16


def refined(sigmas: Array, values: Array, jumps: Iterable[int] = ()) -> tuple[Array, Array]:
    """Return curves between their levels too, by the cubics that are integrated above.

    Args:
        values: (curves, steps).
    Returns:
        times: (points,), -ln sigma, rising; values: (curves, points).
    """
    times, count = -np.log(sigmas), len(sigmas)
    edges = [0, *sorted(jumps), count]
    shares = np.arange(BETWEEN) / BETWEEN
    pieces, points = [], []
    for first, end in pairwise(edges):
        for start in range(first, min(end, count - 1)):
            points.append(times[start] + shares * (times[start + 1] - times[start]))
            if start == end - 1:  # the step before a jump ends with what it began with
                pieces.append(np.repeat(values[:, start : start + 1], BETWEEN, axis=1))
                continue
            places, at = _places(times, start, first, end)
            powers = np.vander(at, len(at), increasing=True)
            basis = np.vander(shares, len(at), increasing=True) @ np.linalg.inv(powers)
            pieces.append(values[:, places] @ basis.T)
    return (
        np.concatenate([*points, times[-1:]]),
        np.concatenate([*pieces, values[:, -1:]], axis=1),
    )


def _places(times: Array, start: int, first: int, end: int) -> tuple[NDArray[np.int64], Array]:
    """Return the levels that the step from `start` is interpolated from, and their times in units
    of the step.

    Args:
        first, end: bounds of the part whose levels may be used.
    """
    points = min(POINTS, end - first)
    left = int(np.clip(start - points // 2 + 1, first, end - points))
    places = np.arange(left, left + points)
    return places, (times[places] - times[start]) / (times[start + 1] - times[start])
