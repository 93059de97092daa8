"""A guided run and its unguided twin, on the exact mixture at -8, -4, 6, 8."""

from typing import Any

import numpy as np
import pytest

from entroscope.protocol.errors import Conflict, SpecError
from entroscope_workers import measure, measure_both

SPEC: dict[str, Any] = {
    "schedule": {"steps": 48, "sigma_max": 400, "sigma_min": 0.05},
    "trajectories": 200,
    "partitions": {"classes": None, "rest": "each-vs-rest"},
    "previews": None,
}
GUIDED = {**SPEC, "guidance": {"scale": 3}}


def test_both_runs_share_their_trajectories_and_their_difference_is_surer_than_either() -> None:
    result, plain = measure_both("gaussian-mixture", GUIDED), measure("gaussian-mixture", SPEC)
    study, curve = result["studies"]["redistribution"], result["curves"]["classes"]
    for quantity in ("entropy", "production"):
        apart = np.array(curve[quantity]) - plain["curves"]["classes"][quantity]
        np.testing.assert_allclose(study["curves"]["classes"][quantity], apart, atol=1e-5)
    error = np.array(study["curves"]["classes"]["entropy_se"])
    unpaired = np.hypot(curve["entropy_se"], plain["curves"]["classes"]["entropy_se"])
    assert (error <= unpaired)[1:].mean() > 0.9 and error.max() < 0.8 * unpaired.max()
    assert study["guidance"] == {"run": result["spec"]["guidance"], "base": None}


def test_guidance_makes_a_decision_earlier() -> None:
    """Two components: production rises at high noise and falls at low, H is lower all along."""
    spec = {**GUIDED, "params": {"kind": "pair", "dimension": 16}, "trajectories": 200}
    study = measure_both("gaussian-mixture", spec)["studies"]["redistribution"]
    sigma, curve = np.array(study["sigma"]), study["curves"]["classes"]
    for name in ("classes", "rest"):
        found = study["redistributions"][name]
        low, median, high = (np.array(found[part]) for part in ("low", "median", "high"))
        assert sigma[median.argmax()] > 1.5 * sigma[median.argmin()]
        assert (low <= median).all() and (median <= high).all()
    assert (np.array(curve["entropy"]) <= 2 * np.array(curve["entropy_se"]) + 1e-9).all()
    assert min(curve["entropy"]) < -0.05


def test_outside_the_interval_above_all_of_it_there_is_no_difference() -> None:
    spec = {**GUIDED, "guidance": {"scale": 3, "interval": [0.5, 5]}}
    study = measure_both("gaussian-mixture", spec)["studies"]["redistribution"]
    above = np.array(study["sigma"]) > 5
    production = np.array(study["curves"]["classes"]["production"])
    assert (production[above] == 0).all() and (production[~above] != 0).any()


def test_progress_goes_through_both_runs_and_ends_at_1() -> None:
    seen: list[float] = []
    measure_both("gaussian-mixture", {**GUIDED, "trajectories": 64}, seen.append)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1)


def test_a_run_without_guidance_has_nothing_to_compare() -> None:
    with pytest.raises(SpecError, match="not guided"):
        measure_both("gaussian-mixture", SPEC)


def test_values_too_large_to_be_kept_end_the_run_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("entroscope_workers.sampling.runner.VALUES_LIMIT_BYTES", 10_000)
    with pytest.raises(Conflict, match=r"batch_sizes\.largest"):
        measure_both("gaussian-mixture", {**GUIDED, "trajectories": 64})
