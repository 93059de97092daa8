"""Companions: the same noise on every second level, and curves free of the steps' first order."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope_workers import measure
from entroscope_workers.numerics.reverse_step import ReverseStep, joined_noise

Array = NDArray[np.float64]
LINE: dict[str, Any] = {"params": {"means": [[-8], [-4], [6], [8]], "std": 1}}
LEVELS: dict[str, Any] = {"sigma_max": 128, "sigma_min": 0.05}
UNEVEN: dict[str, Any] = {"params": {"means": [[-3], [1], [9]], "std": 0.7, "priors": [3, 2, 1]}}
REST: dict[str, Any] = {"partitions": {"rest": "each-vs-rest"}}


def curves(**spec: Any) -> dict[str, Any]:
    return dict(measure("gaussian-mixture", {"previews": None, **spec})["curves"])


def arrays(curve: dict[str, Any], *names: str) -> list[Array]:
    return [np.array(curve[name], dtype=np.float64) for name in names]


def test_joined_noise_is_standard_and_leads_to_the_same_state() -> None:
    """With the denoised data held, one long step and several short ones are the same chain."""
    stream = torch.Generator().manual_seed(0)
    x, denoised = (torch.randn(2000, 3, generator=stream, dtype=torch.float64) for _ in range(2))
    sigmas = [7.0, 3.0, 2.0, 0.4]
    normals = [torch.randn(2000, 3, generator=stream, dtype=torch.float64) for _ in sigmas[1:]]
    fine = 5 * x
    for start, end, noise in zip(sigmas, sigmas[1:], normals, strict=False):
        fine = ReverseStep.between(start, end, fine).moved(denoised, noise)
    joined = joined_noise(sigmas, normals)
    coarse = ReverseStep.between(sigmas[0], sigmas[-1], 5 * x).moved(denoised, joined)
    torch.testing.assert_close(coarse, fine)
    assert float(joined.std()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**REST, "complement": "rebuilt"},
        {"guidance": {"scale": 2, "interval": [0.7, 9]}},
        {"prune_below": 0.001},
    ],
    ids=["plain", "rebuilt", "guided", "pruned"],
)
def test_plain_means_are_those_of_a_run_without_companions_to_the_bit(
    fields: dict[str, Any],
) -> None:
    spec = {**LINE, **fields, "trajectories": 48, "schedule": {"steps": 9, **LEVELS}}
    without, with_them = curves(**spec, companions=0), curves(**spec, companions=0.5)
    for key, curve in without.items():
        for name in ("entropy", "entropy_se", "cross_entropy", "production", "production_se", "n"):
            assert curve[name] == with_them[key][name], name
        assert curve["entropy_combined"] != with_them[key]["entropy_combined"]


def errors(steps: int, mixture: dict[str, Any]) -> tuple[float, float]:
    """Return the largest true error of the plain and of the corrected entropy."""
    schedule = {"steps": steps, **LEVELS}
    sizes = {"first": 4096, "largest": 4096}
    spec = {**mixture, "trajectories": 16384, "schedule": schedule, "batch_sizes": sizes}
    result = measure("gaussian-mixture", {"previews": None, "companions": 1, **spec})
    curve, sigmas = result["curves"]["classes"], np.array(result["sigma"])
    times = -np.log(curve["exact"]["sigma"])
    truth = np.interp(-np.log(sigmas), times, curve["exact"]["entropy"])
    plain, best = arrays(curve, "entropy", "entropy_combined")
    return float(np.abs(plain - truth).max()), float(np.abs(best - truth).max())


@pytest.mark.parametrize("mixture", [LINE, UNEVEN], ids=["four", "uneven"])
def test_plain_entropy_is_of_first_order_in_the_step_and_corrected_entropy_of_second(
    mixture: dict[str, Any],
) -> None:
    steps = [8, 16, 32]
    plain, best = zip(*(errors(count, mixture) for count in steps), strict=True)
    logs = np.log(steps)
    order, corrected = (-np.polyfit(logs, np.log(each), 1)[0] for each in (plain, best))
    assert 0.6 < order < 1.4
    assert corrected > 1.6
    assert best[-1] < plain[-1] / 3


def test_numbers_do_not_depend_on_batches() -> None:
    spec = {**LINE, "trajectories": 96, "schedule": {"steps": 12, **LEVELS}}
    names = ("entropy_combined", "entropy_combined_se", "production_combined")
    sizes = ((1, 7), (96, 96), (16, 64))
    results = [
        curves(**spec, batch_sizes={"first": first, "largest": largest})["classes"]
        for first, largest in sizes
    ]
    for name in names:
        for other in results[1:]:
            np.testing.assert_allclose(results[0][name], other[name], atol=1e-6)


def test_every_class_of_a_complement_run_has_companions() -> None:
    spec = {**LINE, **REST, "complement": "unconditional", "trajectories": 128}
    for curve in curves(**spec, schedule={"steps": 12, **LEVELS}).values():
        (left,) = arrays(curve, "entropy_combined_step_error")
        assert np.isfinite(left).all()
        assert curve["entropy_combined"] != curve["entropy"]


def test_what_is_left_is_never_said_to_be_nothing() -> None:
    curve = curves(**LINE, trajectories=256, schedule={"steps": 32, **LEVELS})["classes"]
    entropy, left = arrays(curve, "entropy", "entropy_combined_step_error")
    decided = (entropy > 0.1) & (entropy < 1.9)
    assert (left[decided] > 1e-4).all()


def test_the_bound_of_pruning_is_part_of_the_band() -> None:
    random = {"params": {"kind": "random", "components": 40, "dimension": 4, "seed": 2}}
    spec = {**random, "trajectories": 64, "schedule": {"steps": 16}, "prune_below": 0.005}
    result = measure("gaussian-mixture", {"previews": None, **spec})
    curve = result["curves"]["classes"]
    left, bound = (
        np.array(of[name])
        for of, name in (
            (curve, "entropy_combined_step_error"),
            (curve["pruning"], "entropy_bound"),
        )
    )
    assert (left >= bound).all()
    (check,) = [c for c in result["checks"] if c["name"].startswith("pruning_bound")]
    assert check["value"] == pytest.approx(bound.max())
    assert check["ok"] is (check["value"] <= check["bound"] == 0.05)


def test_information_above_sigma_max_is_corrected_for() -> None:
    """A pair in 64 dimensions from 80 down: .006 bits are decided above."""
    spec = {"params": {"kind": "pair", "dimension": 64}, "trajectories": 512}
    curve = curves(**spec, schedule={"steps": 48, "sigma_max": 80, "sigma_min": 0.1})["classes"]
    exact = curve["exact"]
    plain, best = arrays(curve, "entropy", "entropy_combined")
    assert plain[0] - exact["entropy"][0] > 0.005
    assert abs(best[0] - exact["entropy"][0]) < 0.0005


def test_profiles_of_the_classes_are_corrected_too() -> None:
    spec = {**LINE, "trajectories": 4096, "batch_sizes": {"first": 4096, "largest": 4096}}
    curve = curves(**spec, schedule={"steps": 24, **LEVELS}, companions=1)["classes"]
    shares = np.array([profile["n"] for profile in curve["profiles"]]) / curve["n"]
    plain, best = (
        sum(
            share * np.array(profile[name])
            for share, profile in zip(shares, curve["profiles"], strict=True)
        )
        for name in ("entropy", "entropy_combined")
    )
    times = -np.log(curve["exact"]["sigma"])
    sigmas = np.geomspace(1.5, 4, 5)
    grid = -np.log(np.array(measure_grid(24)))
    truth = np.interp(-np.log(sigmas), times, curve["exact"]["entropy"])
    off = [np.abs(np.interp(-np.log(sigmas), grid, each) - truth).max() for each in (plain, best)]
    assert off[1] < off[0] / 2


def measure_grid(steps: int) -> list[float]:
    ends = np.array([128, 0.05]) ** (1 / 7)
    return [float(x**7) for x in np.linspace(ends[0], ends[1], steps)]


def test_companions_cost_an_eighth_and_a_little_more() -> None:
    def price(**fields: Any) -> int:
        spec = {**LINE, "trajectories": 256, "schedule": {"steps": 64}, "previews": None}
        return int(measure("gaussian-mixture", {**spec, **fields})["provenance"]["evaluations"])

    assert price() / price(companions=0) == pytest.approx(1 + 1 / 8 + 1 / 64, abs=0.01)
    assert math.isclose(price(companions=0), 256 * 64 * 4)
