"""Switching the label: how often the picture follows, against the noise level."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.plan.plan import Plan

Array = NDArray[np.float64]

FOLLOWED = "switch/followed[]"


def switch_document(
    plan: Plan, arrays: StudyArrays, window: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return how often copies followed their new label, where the study was asked for.

    A copy has followed where its final posterior prefers the new label to the old one.

    Args:
        window: of the curve that the crossover is compared with.
    """
    asked = plan.spec.studies.switch
    if asked is None or asked.sigmas is None or FOLLOWED not in arrays:
        return None
    followed = arrays[FOLLOWED].astype(np.float64)  # (trajectories, levels)
    n, sigmas = len(followed), np.array(asked.sigmas)
    share = followed.mean(0) if n else np.full(len(sigmas), np.nan)
    levels = [
        {"sigma": sigma, "followed": p, "se": np.sqrt(p * (1 - p) / max(1, n))}
        for sigma, p in zip(sigmas, share, strict=True)
    ]
    crossing = crossover(sigmas, followed)
    return {"n": n, "levels": levels, "crossover": crossing, **_compared(crossing, window)}


def crossover(sigmas: Array, followed: Array) -> dict[str, float] | None:
    """Return the noise level where half of the copies follow, by interpolation in ln sigma.

    The shares are first made to fall with sigma (pool adjacent violators). The error is that of the
    jackknife over trajectories, which have been switched at every level, and that of a place
    anywhere between the two levels that enclose it, in proportion to the fall of the share between
    them: few levels hide where a sudden fall is. None where the shares do not pass one half.

    Args:
        sigmas: (levels,), decreasing.
        followed: (trajectories, levels), 1 where a copy followed, else 0.
    """
    n = len(followed)
    whole, hidden = _crossing(sigmas, followed.mean(0)) if n else (np.nan, 0.0)
    if not np.isfinite(whole):
        return None
    total = followed.sum(0)
    rows, weights = np.unique(followed, axis=0, return_counts=True)
    without = np.array([_crossing(sigmas, (total - row) / max(1, n - 1))[0] for row in rows])
    spread = float(weights @ (np.nan_to_num(without, nan=whole) - whole) ** 2) * (n - 1) / n
    error = np.exp(whole) * np.sqrt(spread + hidden**2)
    return {"sigma": float(np.exp(whole)), "error": float(error)}


def _crossing(sigmas: Array, share: Array) -> tuple[float, float]:
    """Return ln sigma where the share falls through one half, NaN where it does not, and how far
    it may be from there for want of levels."""
    falling, logs = _fallen(share), np.log(sigmas)
    below = np.flatnonzero(falling < 0.5)
    if not len(below) or below[0] == 0:
        return float("nan"), 0.0
    at = below[0]
    fall, gap = falling[at - 1] - falling[at], logs[at - 1] - logs[at]
    part = (falling[at - 1] - 0.5) / fall
    return float(logs[at - 1] - part * gap), float(fall * gap / np.sqrt(12))


def _fallen(share: Array) -> Array:
    """Return the nearest sequence that never rises (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in share:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] < mean:
            other, width = blocks.pop()
            mean, size = (mean * size + other * width) / (size + width), size + width
        blocks.append((mean, size))
    return np.concatenate([np.full(size, mean) for mean, size in blocks])


def _compared(
    crossing: Mapping[str, float] | None, window: Mapping[str, Any] | None
) -> dict[str, Any]:
    if crossing is None or window is None or not np.isfinite(window["sigma_peak"]):
        return {"curve": window and window["curve"], "inside_window": None, "ratio_to_peak": None}
    sigma = crossing["sigma"]
    return {
        "curve": window["curve"],
        "inside_window": bool(window["sigma_low"] <= sigma <= window["sigma_high"]),
        "ratio_to_peak": sigma / window["sigma_peak"],
    }
