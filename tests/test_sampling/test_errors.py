"""The reported errors mean what they say: bands cover, step errors cover, batches do not matter."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope.measurement.plan.noise_levels import karras
from entroscope.protocol.spec import Schedule
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.numerics.mixtures import line_truth, pair_entropy, pair_production

Array = NDArray[np.float64]
BITS = 1 / math.log(2)
FOUR = {"kind": "points", "means": [[-8], [-4], [6], [8]], "std": 0.5}


def pair_truth(sigmas: Array, dimension: int) -> tuple[Array, Array]:
    r = np.sqrt(dimension / (1 + sigmas**2))
    entropy = np.array([BITS * pair_entropy(x) for x in r])
    production = [BITS * pair_production(x, s) for x, s in zip(r, sigmas, strict=True)]
    return entropy, np.array(production)


def four_truth(sigmas: Array) -> tuple[Array, Array]:
    mixture = load(torch.device("cpu")).bind(FOUR, ()).exact
    entropy, production = zip(*(line_truth(mixture, sigma) for sigma in sigmas), strict=True)
    return BITS * np.array(entropy), BITS * np.array(production)


def curve_of(spec: dict[str, Any]) -> tuple[Array, dict[str, Array]]:
    result = measure("gaussian-mixture", {"previews": None, **spec})
    curve = result["curves"]["classes"]
    plain = ("entropy", "entropy_se", "production", "production_se", "entropy_step_error")
    ends = ("combined", "combined_se")
    names = (*plain, *(f"{name}_{end}" for name in ("entropy", "production") for end in ends))
    return np.array(result["sigma"]), {name: np.array(curve[name]) for name in names}


@pytest.mark.parametrize(
    ("params", "top"),
    [
        ({"kind": "pair", "dimension": 1}, 20),
        ({"kind": "pair", "dimension": 64}, 160),
        (FOUR, 400),
    ],
)
def test_at_32_steps_the_reported_error_of_the_steps_covers_the_true_one(
    params: dict[str, Any], top: float
) -> None:
    schedule = {"steps": 32, "sigma_max": top, "sigma_min": 0.05}
    sigmas, curve = curve_of({"params": params, "schedule": schedule, "trajectories": 20000})
    truth = four_truth(sigmas) if params is FOUR else pair_truth(sigmas, params["dimension"])
    off = np.abs(curve["entropy"] - truth[0])
    above = 1.05 * curve["production"][0] / 2  # what no number of steps finds: above sigma_max
    assert (off <= curve["entropy_step_error"] + 4 * curve["entropy_se"] + above + 1e-9).all()


def test_control_variates_bring_the_error_of_a_pair_down_at_least_threefold() -> None:
    """As much as nine times the trajectories would, and the truth stays inside."""
    params = {"kind": "pair", "dimension": 64}
    schedule = {"steps": 96, "sigma_max": 600, "sigma_min": 0.5}
    sigmas, curve = curve_of({"params": params, "schedule": schedule, "trajectories": 400})
    truths = dict(zip(("entropy", "production"), pair_truth(sigmas, 64), strict=True))
    middle = (truths["entropy"] > 0.1) & (truths["entropy"] < 0.9)
    for name, truth in truths.items():
        plain, smaller = curve[f"{name}_se"], curve[f"{name}_combined_se"]
        assert (smaller < plain / 3)[middle].all()
        off = np.abs(curve[f"{name}_combined"] - truth)
        assert (off <= 4 * smaller + 0.004)[middle].all()  # the steps are worth 0.004


def test_the_error_of_the_steps_shrinks_in_proportion_to_the_step() -> None:
    ends = {}
    for steps in (32, 64):
        schedule = {"steps": steps, "sigma_max": 20, "sigma_min": 0.05}
        params = {"kind": "pair", "dimension": 1}
        _, curve = curve_of({"params": params, "schedule": schedule, "trajectories": 20000})
        ends[steps] = curve["entropy_step_error"][-1]
    assert 1.6 < ends[32] / ends[64] < 3


def test_95_percent_bands_cover_the_truth_in_92_to_98_percent_of_cases() -> None:
    """512 steps, 1000 trajectories, 100 seeds; points with H between 10 % and 90 % of its bound."""
    names = ("entropy", "production", "entropy_combined", "production_combined")
    inside: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in names}
    schedule = {"steps": 512, "sigma_max": 400, "sigma_min": 0.05}
    spec = {"params": FOUR, "schedule": schedule, "trajectories": 1000}
    sizes = {"first": 1000, "largest": 1000}
    truths = dict(
        zip(
            inside,
            2 * four_truth(karras(Schedule(steps=512, sigma_max=400, sigma_min=0.05, rho=7))),
            strict=True,
        )
    )
    middle = (truths["entropy"] > 0.2) & (truths["entropy"] < 1.8)
    for seed in range(100):
        _, curve = curve_of({**spec, "seed": seed, "batch_sizes": sizes})
        for name, hits in inside.items():
            off = np.abs(curve[name] - truths[name])
            hits.append((off <= 1.96 * curve[f"{name}_se"])[middle])
    shares = {name: float(np.mean(hits)) for name, hits in inside.items()}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares


def test_numbers_do_not_depend_on_the_batch_they_ran_in() -> None:
    results = []
    for first, largest in ((1, 7), (64, 64)):
        spec = {"trajectories": 64, "batch_sizes": {"first": first, "largest": largest}}
        results.append(curve_of({"params": FOUR, **spec}))
    for name, values in results[0][1].items():
        np.testing.assert_allclose(values, results[1][1][name], atol=1e-9, rtol=0)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    first, again, other = (
        curve_of({"trajectories": 32, "seed": seed})[1]["entropy"] for seed in (3, 3, 4)
    )
    assert (first == again).all()
    assert not (first == other).all()


def test_previews_never_change_a_number() -> None:
    plain = measure("gaussian-mixture", {"trajectories": 32, "previews": None})
    shown = measure("gaussian-mixture", {"trajectories": 32, "previews": {"samples": 8}})
    assert plain["curves"] == shown["curves"]


def test_a_target_error_stops_at_the_smallest_prefix_of_batches_that_meets_it() -> None:
    spec = {"trajectories": 4096, "schedule": {"steps": 64}}
    stopped = measure("gaussian-mixture", {**spec, "target_se_bits": 0.03, "previews": None})
    errors = np.array(stopped["curves"]["classes"]["entropy_se"])
    assert stopped["trajectories"] < 4096
    assert errors.max() <= 0.03
    batches = stopped["batches"]
    shorter = 32 * (2 ** (batches - 1) - 1)  # what one batch less would have been
    before = measure("gaussian-mixture", {**spec, "trajectories": shorter, "previews": None})
    assert max(before["curves"]["classes"]["entropy_se"]) > 0.03


def test_starting_far_too_low_is_reported_as_information_above_sigma_max() -> None:
    spec = {"params": {"kind": "pair", "dimension": 64}, "trajectories": 512, "previews": None}
    result = measure("gaussian-mixture", {**spec, "schedule": {"sigma_max": 20}})
    (check,) = [c for c in result["checks"] if c["name"].startswith("information_above")]
    assert not check["ok"]
    assert check["value"] > check["bound"] == 0.01
