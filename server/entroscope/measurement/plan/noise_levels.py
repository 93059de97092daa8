"""Noise levels by rule, and those where guidance begins or ends."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.spec import Guidance, Schedule


def karras(schedule: Schedule) -> NDArray[np.float64]:
    """Return the noise levels of EDM (Karras et al. 2022, eq. 5), highest first, without the 0.

    sigma_i = (smax^{1/rho} + i/(N-1) (smin^{1/rho} - smax^{1/rho}))^rho
    """
    steps, rho = schedule.steps, schedule.rho
    top, bottom = schedule.sigma_max, schedule.sigma_min
    if steps is None or rho is None or top is None or bottom is None:
        raise ValueError("the schedule must be resolved first")
    ends = np.array([top, bottom]) ** (1 / rho)
    sigmas = (ends[0] + np.linspace(0, 1, steps) * (ends[1] - ends[0])) ** rho
    sigmas[0], sigmas[-1] = top, bottom  # the powers round; the ends are what was asked
    return np.asarray(sigmas, dtype=np.float64)


def guidance_edges(guidance: Guidance | None, sigmas: Sequence[float]) -> frozenset[int]:
    """Return the steps at which guidance begins or has ended."""
    if guidance is None or guidance.interval is None or guidance.scale == 1:
        return frozenset()
    low, high = guidance.interval
    inside = [low < sigma <= high for sigma in sigmas]
    return frozenset(step for step in range(1, len(inside)) if inside[step] != inside[step - 1])
