"""Exact curves against quadrature done elsewhere, closed forms, and each other."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.curves.exact import exact_curves
from entroscope.measurement.mixtures.exact import mixture_curves
from entroscope.measurement.mixtures.factors import decisions_of
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope.protocol.spec import Spec

Array = NDArray[np.float64]
GOLDEN = json.loads((Path(__file__).parents[1] / "data/gaussian_mixture_1d.json").read_text())
MIXTURE = ModelInfo(
    name="gaussian-mixture",
    family="gaussian-mixture",
    title="Mixture",
    shape=(1,),
    batch_sizes=BatchSizes(),
)
#: H in bits of two components at r (guide: Known answers).
PAIR_BITS = {
    0.1: 0.99282235,
    0.25: 0.95627004,
    0.5: 0.83925278,
    0.75: 0.68091794,
    1.0: 0.51405585,
    1.25: 0.36276958,
    1.5: 0.24002099,
    2.0: 0.08717771,
    3.0: 0.00555329,
}


def plan_of(params: dict[str, Any], info: ModelInfo = MIXTURE, **fields: Any) -> Plan:
    spec = Spec.model_validate({"model": info.name, "params": params} | fields)
    return resolve(spec, info)


def curves_of(params: dict[str, Any], **fields: Any) -> dict[str, dict[str, Array] | None]:
    found = exact_curves(plan_of(params, **fields))
    return {
        key: None if own is None else {name: np.array(v) for name, v in own.items()}
        for key, own in found.items()
    }


def known(params: dict[str, Any], **fields: Any) -> dict[str, Array]:
    curve = curves_of(params, **fields)["classes"]
    assert curve is not None
    return curve


def truth(
    means: Any, groups: list[int], sigma: float, std: float = 1.0, weights: Any = None
) -> tuple[float, float]:
    """Return entropy and production in nats of one decision at one level."""
    means = np.array(means, dtype=np.float64)
    weights = np.full(len(means), 1 / len(means)) if weights is None else np.array(weights)
    found = decisions_of(means, weights, groups)
    assert found is not None
    ((entropy, production),) = mixture_curves([found], std, [sigma])
    return float(entropy[0]), float(production[0])


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: str(case["name"]))
def test_the_four_point_mixture_is_where_adaptive_quadrature_puts_it(case: dict[str, Any]) -> None:
    members = [index for group in case["groups"] for index in group]
    owners = [number for number, group in enumerate(case["groups"]) for _ in group]
    means = [[case["means"][index]] for index in members]
    for sigma, entropy, production in zip(
        case["sigma"], case["H"], case["production"], strict=True
    ):
        found = truth(means, owners, sigma, case["cluster_std"])
        assert found == pytest.approx((entropy, production), abs=1e-6)


@pytest.mark.parametrize("dimension", [1, 10, 1000])
@pytest.mark.parametrize("r", PAIR_BITS)
def test_a_pair_in_any_dimension_has_the_entropy_of_the_table(dimension: int, r: float) -> None:
    sigma, std = 2.0, 0.5
    offset = r * math.hypot(sigma, std) / math.sqrt(dimension)
    entropy, _ = truth([[offset] * dimension, [-offset] * dimension], [0, 1], sigma, std)
    assert entropy / math.log(2) == pytest.approx(PAIR_BITS[r], abs=2e-8)


def test_on_the_vp_axis_production_peaks_where_and_as_high_as_it_must() -> None:
    dimension = 100
    curve = known({"kind": "pair", "dimension": dimension})
    sigma = curve["sigma"]
    t = 0.5 * np.log1p(sigma**2)
    per_time = curve["production"] * (1 + sigma**2) / sigma**2
    peak = int(per_time.argmax())
    assert t[peak] - 0.5 * math.log(dimension) == pytest.approx(-0.20550, abs=0.05)
    assert per_time[peak] == pytest.approx(0.69180, abs=1e-3)
    assert curve["entropy"][peak] == pytest.approx(0.37497, abs=0.05)


@pytest.mark.parametrize(
    ("means", "groups", "weights"),
    [
        ([[-8], [-4], [6], [8]], [0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4]),
        ([[0, 0], [3, 0], [0, 4]], [0, 1, 2], [0.5, 0.2, 0.3]),
        ([[0, 0, 1], [3, 1, 1], [0, 4, 1], [2, 2, 1], [5, 1, 1]], [0, 1, 0, 2, 1], [0.2] * 5),
    ],
    ids=["on a line", "a triangle", "in a plane"],
)
def test_production_is_the_slope_of_the_entropy(
    means: list[list[float]], groups: list[int], weights: list[float]
) -> None:
    step = 1e-4
    for sigma in (0.3, 1.0, 3.0, 10.0):
        above, below = (
            truth(means, groups, sigma * math.exp(s), 0.5, weights)[0] for s in (step, -step)
        )
        slope = (above - below) / (2 * step)
        assert truth(means, groups, sigma, 0.5, weights)[1] == pytest.approx(slope, abs=2e-6)


def test_a_plane_turned_into_many_dimensions_changes_nothing() -> None:
    draw = np.random.default_rng(0)
    flat = draw.normal(size=(4, 2)) * 3
    turn = np.linalg.qr(draw.normal(size=(50, 50)))[0][:2]
    here = truth(flat, [0, 1, 2, 1], 1.5)
    assert truth(flat @ turn + 7, [0, 1, 2, 1], 1.5) == pytest.approx(here, abs=1e-7)


def product(offsets: list[float], dimension: int = 5) -> Array:
    """Return the corners of a box in turned axes: independent orthogonal pairs."""
    signs = np.array(np.meshgrid(*[[1, -1]] * len(offsets), indexing="ij"))
    corners = signs.reshape(len(offsets), -1).T * np.array(offsets)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(dimension, dimension)))[0]
    return np.asarray(corners @ turn[: len(offsets)])


def test_independent_pairs_add_however_many_they_are() -> None:
    offsets, sigma = [0.5, 2.0, 2.0, 7.0], 1.2
    parts = [truth([[o], [-o]], [0, 1], sigma) for o in offsets]
    whole = truth(product(offsets), list(range(16)), sigma)
    assert whole == pytest.approx(tuple(np.sum(parts, axis=0)), abs=1e-9)


def test_a_decision_on_one_axis_does_not_see_the_others() -> None:
    means = product([0.5, 2.0, 7.0])
    sides = [index // 4 for index in range(8)]
    assert truth(means, sides, 1.2) == pytest.approx(truth([[0.5], [-0.5]], [0, 1], 1.2), abs=1e-9)


def test_groups_that_entangle_two_axes_are_integrated_over_both() -> None:
    means = product([1.0, 1.5], dimension=2)
    odd = [0, 1, 1, 0]
    entropy, _ = truth(means, odd, 1.0)
    alone = [truth([[o], [-o]], [0, 1], 1.0)[0] for o in (1.0, 1.5)]
    assert max(alone) < entropy < math.log(2)


def test_a_tree_of_many_levels_is_the_sum_of_its_pairs() -> None:
    offsets, dimension = [4.0, 2.0, 1.0, 1.0, 0.5], 9
    curve = known({"kind": "tree", "dimension": dimension, "offsets": offsets})
    pairs = [known_pair(offset, dimension, curve["sigma"]) for offset in offsets]
    for name, total in zip(("entropy", "production"), np.sum(pairs, axis=0).T, strict=True):
        assert curve[name] == pytest.approx(total, abs=2e-6)


def known_pair(offset: float, dimension: int, sigmas: Array) -> Array:
    """Return entropy and production of a pair in bits, (levels, 2)."""
    means = [[offset] * dimension, [-offset] * dimension]
    return np.array([truth(means, [0, 1], sigma) for sigma in sigmas]) / math.log(2)


def test_components_at_one_place_are_never_told_apart() -> None:
    assert truth([[1, 2], [1, 2]], [0, 1], 0.1) == pytest.approx((math.log(2), 0))


def test_the_curves_cover_the_levels_of_the_run_and_each_is_under_its_own_mixture() -> None:
    partitions = {
        "classes": None,
        "left": [{"name": "a", "labels": ["-8"]}, {"name": "b", "labels": ["-4"]}],
        "rest": "each-vs-rest",
    }
    plan = plan_of({}, partitions=partitions, prior={"-8": 3, "-4": 1, "6": 2, "8": 2})
    curves = exact_curves(plan)
    assert list(curves) == [curve.key for curve in plan.curves]
    top = {key: curve["entropy"][0] for key, curve in curves.items() if curve is not None}
    assert top["left"] == pytest.approx(
        -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)), abs=0.01
    )
    assert top["rest.4"] == pytest.approx(
        -(1 / 8) * math.log2(1 / 8) - 7 / 8 * math.log2(7 / 8), abs=0.01
    )
    own = curves["classes"]
    assert own is not None and len(own["sigma"]) == 200
    assert (own["sigma"][0], own["sigma"][-1]) == (plan.sigmas[0], plan.sigmas[-1])


def test_where_no_answer_is_known_there_is_none() -> None:
    three = {"kind": "points", "means": [[0, 0, 0], [3, 0, 0], [0, 4, 0], [0, 0, 5]]}
    assert curves_of(three) == {"classes": None}
    assert curves_of({"kind": "random"}) == {"classes": None}
    network = MIXTURE.model_copy(update={"params_kind": None, "labels": ("a", "b")})
    assert exact_curves(plan_of({}, network)) == {"classes": None}


def test_two_of_many_random_components_are_a_pair() -> None:
    two = [{"name": name, "labels": [index]} for index, name in enumerate("ab")]
    curves = curves_of({"kind": "random"}, partitions={"classes": None, "two": two})
    assert curves["classes"] is None and curves["two"] is not None


def test_what_would_take_long_is_left_out() -> None:
    many = {"kind": "points", "means": [[index] for index in range(400)]}
    two = [{"name": name, "labels": [index]} for index, name in enumerate("ab")]
    curves = curves_of(many, partitions={"classes": None, "two": two})
    assert curves["classes"] is None and curves["two"] is not None
