"""Exact curves of the runs whose answer is known: mixtures with few directions that matter."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.axes import NATS_PER_BIT
from entroscope.measurement.mixtures.factors import MAX_DIMENSION, Decision, decisions_of
from entroscope.measurement.mixtures.params import Random, mixture_params
from entroscope.measurement.mixtures.quadrature import integrate, terms
from entroscope.measurement.plan.plan import Plan

Array = NDArray[np.float64]
Groups = tuple[tuple[int, ...], ...]

#: Noise levels of an exact curve: at best, and fewer than which say too little.
LEVELS, FEWEST_LEVELS = 200, 50
#: Posteriors that the curves of one run may take (some 0.1 s); beyond it they are left out.
MAX_TERMS = 2_000_000
#: Digits of what is shown.
DIGITS = 7


def exact_curves(plan: Plan) -> dict[str, dict[str, list[float]] | None]:
    """Return {sigma, entropy, production} of each curve by key, None where no answer is known.

    In bits, production per unit of ln sigma, over levels of their own, highest first. Guided paths
    and rough complements measure something else, for which there is no exact answer here.
    """
    spec = plan.spec
    if plan.info.family != "gaussian-mixture" or spec.guidance or spec.complement != "classes":
        return {curve.key: None for curve in plan.curves}
    found = _exact(
        json.dumps(spec.params, sort_keys=True),
        tuple(plan.columns.tolist()),
        tuple(plan.prior.tolist()),
        tuple(curve.groups for curve in plan.curves),
        (float(plan.sigmas[0]), float(plan.sigmas[-1])),
    )
    return {curve.key: own for curve, own in zip(plan.curves, found, strict=True)}


def mixture_curves(
    decisions: Sequence[Sequence[Decision]], std: float, sigmas: Sequence[float]
) -> list[tuple[Array, Array]]:
    """Return entropy and production over sigma, in nats, for each list of independent decisions."""
    mixtures: dict[tuple[Any, Any], list[tuple[int, ...]]] = {}
    for own in dict.fromkeys(decision for each in decisions for decision in each):
        mixtures.setdefault((own.points, own.weights), []).append(own.groups)
    values: dict[Decision, Array] = {}
    for (points, weights), groupings in mixtures.items():
        arrays = np.array(points), np.array(weights)
        rows = np.array([integrate(*arrays, groupings, std, sigma) for sigma in sigmas])
        for index, groups in enumerate(groupings):
            values[Decision(points, weights, groups)] = rows[:, index]
    nothing = np.zeros((len(sigmas), 2))
    sums = [sum((values[decision] for decision in each), nothing) for each in decisions]
    return [(entropy, production) for entropy, production in (total.T for total in sums)]


@lru_cache(maxsize=64)
def _exact(
    params: str,
    columns: tuple[int, ...],
    prior: tuple[float, ...],
    curves: tuple[Groups, ...],
    ends: tuple[float, float],
) -> tuple[dict[str, list[float]] | None, ...]:
    checked = mixture_params(json.loads(params))
    general = isinstance(checked, Random) and checked.dimension > MAX_DIMENSION
    # means in general position have an answer only while they are few
    hopeful = [not general or sum(map(len, own)) <= MAX_DIMENSION + 1 for own in curves]
    if not any(hopeful):
        return (None,) * len(curves)  # spares drawing the means
    means, weights = checked.means()[list(columns)], np.array(prior)
    found = [
        _decisions(means, weights, groups) if hope else None
        for groups, hope in zip(curves, hopeful, strict=True)
    ]
    affordable, work = _affordable(found)
    sigmas = np.geomspace(*ends, min(LEVELS, MAX_TERMS // max(1, work))).tolist()
    values = iter(
        mixture_curves([own for own in affordable if own is not None], checked.std, sigmas)
    )
    return tuple(None if own is None else _document(sigmas, *next(values)) for own in affordable)


def _affordable(
    found: Sequence[list[Decision] | None],
) -> tuple[list[list[Decision] | None], int]:
    """Return the answers without those that take too long, and the posteriors of one level."""
    work: dict[Any, int] = {}
    kept: list[list[Decision] | None] = []
    for own in found:
        with_own = work | {(d.points, d.weights): terms(d) for d in own or ()}
        fits = sum(with_own.values()) * FEWEST_LEVELS <= MAX_TERMS
        kept.append(own if fits else None)
        work = with_own if fits else work
    return kept, sum(work.values())


def _decisions(means: Array, weights: Array, groups: Groups) -> list[Decision] | None:
    """Return what a curve decides, under its own mixture."""
    members = [member for group in groups for member in group]
    owners = [index for index, group in enumerate(groups) for _ in group]
    own = weights[members]
    return decisions_of(means[members], own / own.sum(), owners)


def _document(sigmas: list[float], entropy: Array, production: Array) -> dict[str, list[float]]:
    arrays = {"entropy": entropy / NATS_PER_BIT, "production": production / NATS_PER_BIT}
    return {"sigma": _rounded(sigmas)} | {name: _rounded(own) for name, own in arrays.items()}


def _rounded(values: Sequence[float] | Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
