"""When two Gaussians part, and how wide the band between two entropies is (guide: Known answers).

Two at +-m with covariance s^2 I have r = |m| / sqrt(s^2 + sigma^2), and their entropy depends on r
alone. VP time t is that of alpha = e^-t: sigma^2 = e^{2t} - 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entroscope.measurement.mixtures.params import Pair, Points, Tree, mixture_params

Array = NDArray[np.float64]

MODEL = "gaussian-mixture"
#: Entropies between which the band lies unless told otherwise, in bits.
BAND = (0.4, 0.6)
#: Nodes of the quadrature of H(r): spacing and reach in units of the Gaussian's width.
STEP, REACH = 0.02, 9.0
#: At this r the entropy is below 1e-15 bits.
LARGEST_R = 12.0
BISECTIONS = 60


@dataclass(frozen=True, slots=True)
class PairDecision:
    """One decision between two Gaussians: `distance` is |m|, half of that between their means."""

    name: str
    distance: float
    std: float

    @property
    def sigma(self) -> float:
        """Noise level of speciation in the VE process: |m|, which is sqrt(d) for unit offsets."""
        return self.distance

    @property
    def time(self) -> float | None:
        """VP time of speciation, where r = 1: t_s = 0.5 ln(1 + |m|^2 - s^2), 0.5 ln d for s = 1.

        None where it would lie before t = 0.
        """
        growth = 1 + self.distance**2 - self.std**2
        return 0.5 * math.log(growth) if growth > 1 else None


@dataclass(frozen=True, slots=True)
class Width:
    """Width of a band in VP time and in sigma; errors are one standard error, 0 in theory."""

    time: float
    sigma: float
    time_error: float = 0.0
    sigma_error: float = 0.0


def pair_decisions(spec: Mapping[str, Any]) -> tuple[PairDecision, ...]:
    """Return the independent decisions of a spec's mixture, the widest first.

    There are none where the mixture is not one pair or a tree of pairs.
    """
    if spec["model"] != MODEL:
        return ()
    match mixture_params(dict(spec.get("params", {}))):
        case Pair(dimension=dimension, offset=offset, std=std):
            return (PairDecision("", offset * math.sqrt(dimension), std),)
        case Tree(dimension=dimension, offsets=offsets, std=std):
            levels = (
                PairDecision(f"level {level + 1}", offset * math.sqrt(dimension), std)
                for level, offset in enumerate(offsets)
            )
            return tuple(sorted(levels, key=lambda decision: -decision.distance))
        case Points() as points if len(points.means()) == 2:
            first, second = points.means()
            return (PairDecision("", float(np.linalg.norm(first - second)) / 2, points.std),)
    return ()


def pair_entropy(r: float) -> float:
    """Return H = E_{u ~ N(r, 1)} log2(1 + e^{-2ru}), in bits, by the trapezoid rule."""
    offsets = np.arange(-REACH, REACH + STEP / 2, STEP)
    bits = np.logaddexp(0, -2 * r * (r + offsets)) / math.log(2)
    return float(np.exp(-np.square(offsets) / 2) @ bits * STEP / math.sqrt(2 * math.pi))


def ratio_at(bits: float) -> float:
    """Return the r at which so many bits are left, 0 < bits < 1."""
    if not 0 < bits < 1:
        raise ValueError(f"bits must lie between 0 and 1, got {bits!r}")
    low, high = 0.0, LARGEST_R
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if pair_entropy(middle) > bits else (low, middle)
    return (low + high) / 2


def exact_width(
    decision: PairDecision, low: float = BAND[0], high: float = BAND[1]
) -> Width | None:
    """Return how wide the band between two entropies is; None where it reaches below sigma = 0."""
    squares = [(decision.distance / ratio_at(bits)) ** 2 - decision.std**2 for bits in (low, high)]
    if squares[0] <= 0:
        return None
    sigmas = [math.sqrt(square) for square in squares]
    return Width(_time(sigmas[1]) - _time(sigmas[0]), sigmas[1] - sigmas[0])


def crossing(
    sigma: ArrayLike, entropy: ArrayLike, error: ArrayLike, bits: float
) -> tuple[float, float] | None:
    """Return where a measured curve passes an entropy, or None where it does not.

    H is taken as linear in ln sigma between two steps; of several crossings (noise) the middle one
    counts.

    Args:
        sigma, entropy, error: (steps,), highest level first; NaN where unknown.
    Returns:
        sigma of the crossing, and the standard error of its ln sigma.
    """
    levels, h, se = (np.asarray(values, dtype=np.float64) for values in (sigma, entropy, error))
    above, below = h[:-1], h[1:]
    passes = (above - bits) * (below - bits) <= 0  # not where one is NaN
    passes &= above != below
    passes[1:] &= above[1:] != bits  # a point on the level belongs to the segment before it
    segments = np.flatnonzero(passes)
    if len(segments) == 0:
        return None
    i = segments[len(segments) // 2]
    share = (h[i] - bits) / (h[i] - h[i + 1])
    step = math.log(levels[i + 1] / levels[i])
    noise = (1 - share) * np.nan_to_num(se[i]) + share * np.nan_to_num(se[i + 1])
    slope = abs((h[i] - h[i + 1]) / step)
    return float(levels[i] * math.exp(share * step)), float(noise / slope)


def measured_width(
    sigma: ArrayLike,
    entropy: ArrayLike,
    error: ArrayLike,
    low: float = BAND[0],
    high: float = BAND[1],
) -> Width | None:
    """Return how wide the band of a measured curve is, or None where it does not pass both ends.

    The errors of both ends are taken as independent, which is on the safe side: they come from the
    same trajectories.
    """
    lower, upper = (crossing(sigma, entropy, error, bits) for bits in (low, high))
    if lower is None or upper is None:
        return None
    (start, start_error), (end, end_error) = lower, upper
    return Width(
        _time(end) - _time(start),
        end - start,
        math.hypot(*(e * s**2 / (1 + s**2) for s, e in (lower, upper))),
        math.hypot(start * start_error, end * end_error),
    )


def _time(sigma: float) -> float:
    return 0.5 * math.log1p(sigma**2)
