"""Noise levels placed where a pilot run has seen information being made."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.errors import SpecError

Array = NDArray[np.float64]

#: Density of levels where nothing is decided, over that where most is: a decision that the pilot
#: has missed still meets some.
FLOOR = 0.2
#: Below a decision the density falls no faster than this power of sigma. There the denoisers of
#: the labels draw together within a step, which the kernels do not see: wide steps take for
#: decided what is not, and so does the pilot. On four components on a line H ended 0.04 bits too
#: low without this, 0.01 with it (tests/benchmarks/precision.py).
TAIL = 0.6
#: Steps of a pilot that a spec leaves to us, and steps of a run on its grid.
PILOT_STEPS, REFINED_STEPS = 24, 32
#: Points of the integral of the density.
POINTS = 4096


def placed_levels(sigmas: Array, production: Array, steps: int) -> Array:
    """Return `steps` noise levels between the ends of a pilot's grid, highest first.

    A step of width d in ln sigma costs an error in proportion to production d^2, which for a given
    number of steps is least where they lie as densely as the square root of production.

    Args:
        sigmas: (pilot levels,), decreasing.
        production: (pilot levels, ) or (curves, pilot levels); of several, the densest counts.
    """
    logs = -np.log(sigmas)
    weights = np.max([_density(one) for one in np.atleast_2d(production)], axis=0)
    weights = np.maximum.accumulate(weights * np.exp(TAIL * logs)) * np.exp(-TAIL * logs)
    fine = np.linspace(logs[0], logs[-1], POINTS)
    density = np.maximum(np.interp(fine, logs, weights), FLOOR)
    running = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    levels = np.exp(-np.interp(np.linspace(0, running[-1], steps), running, fine))
    levels[0], levels[-1] = sigmas[0], sigmas[-1]  # logarithms round; the ends are the pilot's
    return np.asarray(levels)


def _density(production: Array) -> Array:
    """Return the square root of production, at most 1, each level as dense as its neighbours.

    Few trajectories of a pilot are noisy, and a coarse grid may fall beside a peak.
    """
    known = np.maximum(np.nan_to_num(production), 0)
    padded = np.pad(known, 1, mode="edge")
    widest = np.maximum(np.maximum(padded[:-2], padded[2:]), known)
    return np.asarray(np.sqrt(widest / max(float(widest.max()), 1e-300)))


def spec_from_pilot(result: Mapping[str, Any], steps: int = REFINED_STEPS) -> dict[str, Any]:
    """Return the spec of a finished run with its levels placed by its production, and a new seed.

    Its paths are independent of the pilot's: where the levels lie owes nothing to their noise.
    Studies are made at the levels nearest to those they were made at.

    Raises:
        SpecError: the run has measured no production to go by.
    """
    if steps < 2:
        raise SpecError("steps", steps, "must be >= 2")
    production = np.array([c["production"] for c in result["curves"].values()], dtype=np.float64)
    if not np.nan_to_num(production).max(initial=0) > 0:
        raise SpecError("pilot", result["spec"]["seed"], "it has seen nothing being decided")
    levels = placed_levels(np.array(result["sigma"], dtype=np.float64), production, steps)
    spec = dict(result["spec"])
    if spec.get("studies"):
        spec["studies"] = _on_levels(spec["studies"], levels)
    return spec | {"schedule": {"sigmas": levels.tolist()}, "seed": (spec["seed"] + 1) % 2**53}


def _on_levels(studies: Mapping[str, Any], levels: Array) -> dict[str, Any]:
    """Return studies with their noise levels moved to the nearest, in ln sigma, of a grid's.

    Args:
        levels: (steps,); of the lowest there is no study, as nothing is left to sample there.
    """
    moved, above = dict(studies), levels[:-1]

    def nearest(sigma: float) -> float:
        return float(above[np.argmin(np.abs(np.log(above / sigma)))])

    if branching := moved.get("branching"):
        moved["branching"] = branching | {"sigma": nearest(branching["sigma"])}
    if switch := moved.get("switch"):
        sigmas = dict.fromkeys(nearest(sigma) for sigma in switch["sigmas"])
        moved["switch"] = switch | {"sigmas": list(sigmas)}
    return moved
