"""Exact curves of mixtures with few directions that matter, by quadrature."""

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.mixtures.factors import MAX_DIMENSION, Decision, decisions_of
from entroscope.measurement.mixtures.params import Random, mixture_params
from entroscope.measurement.mixtures.quadrature import integrate, terms
from entroscope.protocol.patience import go_on

Array = NDArray[np.float64]
NATS_PER_BIT = math.log(2)
Groups = tuple[tuple[int, ...], ...]

#: Noise levels of an exact curve: at best, and fewer than which say too little.
LEVELS, FEWEST_LEVELS = 200, 50
#: Posteriors that the curves of one run may take (some 0.1 s); beyond it they are left out.
MAX_TERMS = 2_000_000
#: Coordinates of components, summed over the decisions of one run, that are looked through (some
#: 1 s); decisions beyond it have no exact curve.
MAX_COORDINATES_SEEN = 2**18
#: Digits of what is shown.
DIGITS = 7


@lru_cache(maxsize=64)
def exact_curves(
    params: str,
    columns: tuple[int, ...],
    prior: tuple[float, ...],
    decisions: tuple[Groups, ...],
    ends: tuple[float, float],
) -> tuple[dict[str, list[float]] | None, ...]:
    """Return {sigma, entropy, production} of each decision, None where no answer is known.

    Args:
        params: of the mixture, as JSON.
        columns: components of the run, as indices; `prior` is theirs and sums to 1.
        decisions: groups of each decision, of positions in `columns`.
        ends: highest and lowest noise level.
    Returns:
        in bits, production per unit of ln sigma, highest noise level first.
    """
    checked = mixture_params(json.loads(params))
    general = isinstance(checked, Random) and checked.dimension > MAX_DIMENSION
    # means in general position have an answer only while they are few
    hopeful = [not general or sum(map(len, each)) <= MAX_DIMENSION + 1 for each in decisions]
    if not any(hopeful):
        return (None,) * len(decisions)  # spares drawing the means
    means, weights = checked.means()[list(columns)], np.array(prior)
    sizes = [sum(map(len, groups)) * means.shape[1] for groups in decisions]
    seen = np.cumsum(np.where(hopeful, sizes, 0))
    factors = [
        _factors(means, weights, groups) if hope else None
        for groups, hope in zip(decisions, hopeful & (seen <= MAX_COORDINATES_SEEN), strict=True)
    ]
    affordable, work = _affordable(factors)
    sigmas = np.geomspace(*ends, min(LEVELS, MAX_TERMS // max(1, work))).tolist()
    known = [each for each in affordable if each is not None]
    values = iter(mixture_curves(known, checked.std, sigmas))
    return tuple(None if each is None else _document(sigmas, *next(values)) for each in affordable)


def mixture_curves(
    decisions: Sequence[Sequence[Decision]], std: float, sigmas: Sequence[float]
) -> list[tuple[Array, Array]]:
    """Return entropy and production over sigma, in nats, for each list of independent decisions."""
    mixtures: dict[tuple[Any, Any], list[tuple[int, ...]]] = {}
    for factor in dict.fromkeys(decision for each in decisions for decision in each):
        mixtures.setdefault((factor.points, factor.weights), []).append(factor.groups)
    values: dict[Decision, Array] = {}
    for (points, weights), groupings in mixtures.items():
        arrays = np.array(points), np.array(weights)
        rows = np.array([integrate(*arrays, groupings, std, sigma) for sigma in sigmas])
        for index, groups in enumerate(groupings):
            values[Decision(points, weights, groups)] = rows[:, index]
    nothing = np.zeros((len(sigmas), 2))
    sums = [sum((values[decision] for decision in each), nothing) for each in decisions]
    return [(entropy, production) for entropy, production in (total.T for total in sums)]


def _affordable(
    factors: Sequence[list[Decision] | None],
) -> tuple[list[list[Decision] | None], int]:
    """Return the answers without those that take too long, and the posteriors of one level."""
    work: dict[Any, int] = {}
    kept: list[list[Decision] | None] = []
    for each in factors:
        together = work | {(d.points, d.weights): terms(d) for d in each or ()}
        fits = sum(together.values()) * FEWEST_LEVELS <= MAX_TERMS
        kept.append(each if fits else None)
        work = together if fits else work
    return kept, sum(work.values())


def _factors(means: Array, weights: Array, groups: Groups) -> list[Decision] | None:
    """Return the independent parts of a decision, under the mixture of its components alone."""
    go_on()
    members = [member for group in groups for member in group]
    owners = [index for index, group in enumerate(groups) for _ in group]
    shares = weights[members]
    return decisions_of(means[members], shares / shares.sum(), owners)


def _document(sigmas: list[float], entropy: Array, production: Array) -> dict[str, list[float]]:
    bits = {"entropy": entropy / NATS_PER_BIT, "production": production / NATS_PER_BIT}
    return {"sigma": _rounded(sigmas)} | {name: _rounded(values) for name, values in bits.items()}


def _rounded(values: Sequence[float] | Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
