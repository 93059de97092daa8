"""Checks and windows: they find what they look for, and only that."""

from typing import Any

import numpy as np
import pytest

from entroscope.measurement.curves.checks import run_checks
from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.curves.windows import window
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import BY_NAME, QUANTITIES
from entroscope.protocol.spec import Spec

INFO = ModelInfo(name="m", family="m", title="M", labels=("a", "b"), shape=(1,))
STEPS, N = 64, 4000


@pytest.fixture
def plan() -> Plan:
    spec = {"model": "m", "schedule": {"steps": STEPS}}
    return resolve(Spec.model_validate(spec), INFO)


def sound(plan: Plan, seed: int = 0) -> dict[str, Any]:
    """Return values of a run without fault: H falls from 1 to 0 bits around sigma 1."""
    stream = np.random.default_rng(seed)
    logs = np.log(plan.sigmas)[:, None]
    entropy = np.broadcast_to(1 / (1 + np.exp(-2 * logs)), (STEPS, N)).copy()
    entropy[0] = 1.0
    production = 2 * entropy * (1 - entropy) + 1e-4 * stream.standard_normal((STEPS, N))
    cross = entropy + 0.1 * entropy * stream.standard_normal((STEPS, N))
    return {"entropy": entropy, "cross_entropy": cross, "production": production}


def moments_of(plan: Plan, values: dict[str, Any]) -> Moments:
    entropy, production = values["entropy"], values["production"]
    widths = -np.diff(np.log(plan.sigmas))[:, None]
    area = 0.5 * (production[1:] + production[:-1]) * widths
    zero = np.zeros((1, N))
    integral = np.vstack([zero, area.cumsum(0)])
    derived = {
        "varentropy": 0.01 * entropy**2,
        "gap": values["cross_entropy"] - entropy,
        "missed": entropy - entropy[0] + integral,
        "rise": np.vstack([zero, np.diff(entropy, axis=0)]),
    }
    table = np.zeros((len(QUANTITIES), STEPS, N))
    for name, array in (derived | values).items():
        table[BY_NAME[name].row] = array
    return Moments.of(table, np.zeros(N, np.int64), 2)


def failing(plan: Plan, values: dict[str, Any]) -> set[str]:
    checks = run_checks(plan, {"classes": moments_of(plan, values)})
    return {check["name"].partition("[")[0] for check in checks if not check["ok"]}


def test_a_run_without_fault_passes_every_check(plan: Plan) -> None:
    assert failing(plan, sound(plan)) == set()


def test_a_cross_entropy_that_is_off_by_a_hundredth_of_a_bit_fails(plan: Plan) -> None:
    values = sound(plan)
    values["cross_entropy"] += 0.01
    assert failing(plan, values) == {"cross_entropy_equals_entropy"}


def test_a_production_that_is_a_fifth_too_small_fails(plan: Plan) -> None:
    values = sound(plan)
    values["production"] *= 0.8
    assert failing(plan, values) == {"production_integral"}


def test_an_entropy_that_rises_on_the_way_down_fails(plan: Plan) -> None:
    values = sound(plan)
    stream = np.random.default_rng(1)
    values["entropy"][55] += 0.05 + 0.01 * stream.standard_normal(N)
    values["cross_entropy"][55] = values["entropy"][55]
    assert "entropy_rises_with_sigma" in failing(plan, values)


def test_an_entropy_above_its_bound_fails(plan: Plan) -> None:
    values = sound(plan)
    for name in ("entropy", "cross_entropy"):
        values[name][0] = 1.01
    assert "entropy_bounds" in failing(plan, values)


def test_the_window_of_a_bell_is_where_the_bell_is(plan: Plan) -> None:
    document = window("classes", plan.sigmas, [moments_of(plan, sound(plan))])
    # H = 1 / (1 + sigma^-2): the central 80 % lie between H = 0.9 and H = 0.1
    assert document["sigma_peak"] == pytest.approx(1, rel=0.02)
    assert document["sigma_high"] == pytest.approx(3, rel=0.05)
    assert document["sigma_low"] == pytest.approx(1 / 3, rel=0.05)


def test_the_error_of_the_window_is_the_spread_of_windows_of_other_seeds(plan: Plan) -> None:
    def wobbly(seed: int) -> Moments:
        values = sound(plan, seed)
        values["production"] += np.random.default_rng(seed).normal() * 0.05 * values["entropy"]
        return moments_of(plan, values)

    runs = [
        window("classes", plan.sigmas, [wobbly(8 * run + b) for b in range(8)]) for run in range(40)
    ]
    for name in ("sigma_low", "sigma_high"):
        spread = np.std([run[name] for run in runs], ddof=1)
        reported = np.sqrt(np.mean([run[f"{name}_error"] ** 2 for run in runs]))
        assert reported == pytest.approx(spread, rel=0.4)


def test_one_batch_has_a_window_without_an_error(plan: Plan) -> None:
    document = window("classes", plan.sigmas, [moments_of(plan, sound(plan))])
    assert np.isnan(document["sigma_peak_error"])


def test_a_tree_that_misses_the_chain_rule_fails_and_says_so() -> None:
    tree = [
        {"name": "x", "groups": [{"name": n, "labels": [n]} for n in "ab"]},
        {"name": "y", "labels": ["c"]},
    ]
    info = INFO.model_copy(update={"labels": ("a", "b", "c")})
    spec = {"model": "m", "schedule": {"steps": STEPS}, "partitions": {"tree": tree}}
    tall = resolve(Spec.model_validate(spec), info)
    noise = np.random.default_rng(2).standard_normal((STEPS, N))

    def badge(bias: float, variance: float = 0) -> tuple[bool, float]:
        chain = {"chain": 0.1 * noise + bias, "chain_variance": np.full((STEPS, N), variance)}
        moments = moments_of(tall, {**sound(tall), **chain})
        checks = run_checks(tall, {curve.key: moments for curve in tall.curves})
        (result,) = [check for check in checks if check["name"] == "chain_rule[tree]"]
        return result["ok"], result["value"]

    assert badge(0)[0]
    assert not badge(0.02)[0]
    assert badge(0.02, variance=0.25)[0]  # rare labels, not sampled, would explain it
