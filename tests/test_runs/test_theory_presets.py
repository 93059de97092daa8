"""The sweeps that are ready to be sent show what they say they do."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.curves.checks import group_entropy
from entroscope.measurement.curves.exact import exact_curves
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.measurement.plan.sweep import Sweep, sweep_plans
from entroscope.protocol.models import ModelInfo
from entroscope.runs.presets import sweep_bodies

Array = NDArray[np.float64]
MIXTURE = ModelInfo(name="gaussian-mixture", family="gaussian-mixture", title="M", shape=(1,))
PLANS = {
    preset["name"]: sweep_plans(
        Sweep.model_validate(preset["sweep"]),
        lambda spec: resolve(spec, MIXTURE),
        10**8,
    )
    for preset in sweep_bodies()
}


@pytest.mark.parametrize("name", PLANS)
def test_every_curve_has_an_exact_answer_that_lies_on_its_grid(name: str) -> None:
    for plan in PLANS[name]:
        for key, exact in exact_curves(plan).items():
            assert exact is not None, key
            assert exact["production"][0] / 2 < 0.01
            assert exact["entropy"][0] > 0.9 * plan_bound(plan, key) > 10 * exact["entropy"][-1]


def plan_bound(plan: Plan, key: str) -> float:
    (curve,) = [curve for curve in plan.curves if curve.key == key]
    return group_entropy(plan, curve)


@pytest.mark.parametrize("name", ["speciation-vp", "speciation-ve"])
def test_the_pairs_part_at_the_root_of_their_dimension(name: str) -> None:
    dimensions = [plan.spec.params["dimension"] for plan in PLANS[name]]
    assert dimensions == [10, 100, 1000, 10000]
    for dimension, plan in zip(dimensions, PLANS[name], strict=True):
        assert plan.sigmas[0] >= 10 * math.sqrt(dimension)
        exact = exact_curves(plan)["classes"]
        assert exact is not None
        place = np.interp(
            math.log(dimension) / 2, vp_time(exact["sigma"])[::-1], exact["entropy"][::-1]
        )
        assert place == pytest.approx(0.51405585, abs=2e-3)


def vp_time(sigma: list[float]) -> Array:
    return np.asarray(0.5 * np.log1p(np.square(sigma)))


def test_the_four_points_have_all_of_their_decisions() -> None:
    (plan,) = PLANS["four-point"]
    titles = [curve.title for curve in plan.curves]
    each = [f"{label} against the rest" for label in ("-8", "-4", "6", "8")]
    assert titles == ["all classes", "left / right", "-8 / -4", "6 / 8", *each]


def test_between_two_scales_there_is_a_plateau_of_one_bit() -> None:
    flattest = []
    for plan in PLANS["two-scales"]:
        exact = exact_curves(plan)["classes"]
        assert exact is not None
        production = np.array(exact["production"])
        at_one_bit = np.interp(-1, -np.array(exact["entropy"]), production)
        flattest.append(float(at_one_bit / production.max()))
    assert flattest == sorted(flattest, reverse=True)
    assert flattest[0] > 0.9 and flattest[-1] < 0.1
