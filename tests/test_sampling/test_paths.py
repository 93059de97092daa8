"""Guided and pruned chains against the exact mixture at -8, -4, 6, 8."""

from typing import Any

import numpy as np
import pytest

from entroscope_workers import measure

SCHEDULE = {"steps": 256, "sigma_max": 400, "sigma_min": 0.05, "rho": 7}


def run(**fields: Any) -> dict[str, Any]:
    spec = {"schedule": SCHEDULE, "trajectories": 400, "previews": None, **fields}
    return measure("gaussian-mixture", spec)


def fall_and_integral(result: dict[str, Any]) -> tuple[float, float]:
    curve, sigma = result["curves"]["classes"], np.array(result["sigma"])
    production = np.array(curve["production"])
    integral = (production[1:] + production[:-1]) / 2 @ -np.diff(np.log(sigma))
    return curve["entropy"][0] - curve["entropy"][-1], float(integral)


@pytest.mark.parametrize(
    "guidance",
    [
        {"scale": 3},
        {"scale": 3, "decoder": "guided"},
        {"scale": 3, "interval": [0.5, 5]},
        {"scale": 2, "method": "feedback"},
    ],
)
def test_production_along_guided_paths_integrates_to_the_fall_of_the_entropy(
    guidance: dict[str, Any],
) -> None:
    result = run(guidance=guidance)
    fall, integral = fall_and_integral(result)
    assert integral == pytest.approx(fall, abs=0.12)
    assert all(check["ok"] for check in result["checks"])


def test_pruning_saves_evaluations_and_stays_within_its_bound() -> None:
    plain, pruned = run(), run(prune_below=1e-3)
    spent = pruned["provenance"]
    assert spent["evaluations"] < 0.9 * spent["evaluations_full"]
    curve = pruned["curves"]["classes"]
    apart = np.abs(np.array(curve["entropy"]) - plain["curves"]["classes"]["entropy"])
    # The bound is one of expectations: where one path has dropped a class, chance may exceed it.
    assert (apart <= np.array(curve["pruning"]["entropy_bound"]) + 1e-3).all()
    assert 0 < curve["pruning"]["dropped"][-1] < 0.01


def test_a_run_without_pruning_says_nothing_of_it() -> None:
    result = run(trajectories=32, companions=0)
    assert result["curves"]["classes"]["pruning"] is None
    assert result["provenance"]["evaluations"] == 32 * 256 * 4


def test_outside_its_interval_guidance_changes_nothing() -> None:
    guided, plain = run(guidance={"scale": 3, "interval": [0.0, 1.0]}), run()
    above = np.array(plain["sigma"]) > 1.0
    for name in ("entropy", "production"):
        one, other = (np.array(r["curves"]["classes"][name])[above] for r in (guided, plain))
        np.testing.assert_array_equal(one, other)


def test_where_guidance_begins_and_ends_a_step_counts_with_the_kernel_that_made_it() -> None:
    """Production jumps there by the square of the scale; halves of it belong to no step."""
    guidance = {"scale": 3, "interval": [0.5, 5], "decoder": "guided"}
    result = run(guidance=guidance, schedule=SCHEDULE | {"steps": 64})
    (check,) = [c for c in result["checks"] if c["name"].startswith("production_integral")]
    fall, trapezoid = fall_and_integral(result)
    assert abs(trapezoid - fall) > 0.35  # bits, by the trapezoid across the jumps
    assert check["ok"] and check["value"] < 0.2
