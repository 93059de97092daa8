"""A class against its complement with two evaluations: against exact mixtures and Bayes' rule."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from entroscope_workers import measure
from entroscope_workers.numerics.complement import other_labels, rebuilt_apart
from entroscope_workers.numerics.mixtures import Mixture, line_truth

PAIR = [[-3], [3]]
FOUR = [[-8], [-4], [6], [8]]
EACH = {"each": ["-4"]}


def run(means: list[list[int]], **fields: Any) -> dict[str, Any]:
    spec = {
        "params": {"kind": "points", "means": means, "std": 0.5},
        "partitions": {"rest": "each-vs-rest"},
        "schedule": {"steps": 64, "sigma_max": 300, "sigma_min": 0.05},
        "trajectories": 2000,
        "previews": None,
        **fields,
    }
    return measure("gaussian-mixture", spec)


def mixture(means: list[list[int]], prior: list[float]) -> Mixture:
    points = torch.tensor(means, dtype=torch.float64)
    return Mixture(points, 0.5, torch.tensor(prior, dtype=torch.float64))


def test_the_rebuilt_complement_is_the_mixture_of_the_other_classes() -> None:
    """D_rest from D_u, D_c and the exact posterior is the denoiser of the others alone."""
    whole, others = mixture(FOUR, [0.1, 0.2, 0.3, 0.4]), mixture(FOUR[1:], [2 / 9, 3 / 9, 4 / 9])
    x = torch.linspace(-9, 9, 50, dtype=torch.float64)[:, None]
    sigma = torch.full((50,), 5.0, dtype=torch.float64)
    own = whole.denoise(x, sigma, torch.zeros(50, dtype=torch.int64))
    free, none = whole.denoise(x, sigma, torch.full((50,), -1)), torch.full((50,), -1)
    posterior = whole.log_posterior(x, 5.0).exp()[:, 0]
    rest = own + rebuilt_apart(free - own, posterior)
    torch.testing.assert_close(rest, others.denoise(x, sigma, none))


def test_another_class_is_drawn_by_the_prior_and_is_never_the_class_itself() -> None:
    prior = torch.tensor([0.1, 0.0, 0.3, 0.6], dtype=torch.float64)
    uniform = torch.linspace(0, 1 - 1e-9, 9000, dtype=torch.float64)
    expected = {0: [0, 0, 1 / 3, 2 / 3], 2: [1 / 7, 0, 0, 6 / 7], 3: [0.25, 0, 0.75, 0]}
    for label, shares in expected.items():
        drawn = other_labels(uniform, prior, torch.full((9000,), label))
        counts = torch.bincount(drawn, minlength=4) / 9000
        torch.testing.assert_close(counts, torch.tensor(shares), atol=1e-3, rtol=0)


@pytest.mark.parametrize("complement", ["rebuilt", "unconditional"])
def test_a_pair_takes_two_evaluations_and_counts_for_its_own_curve_only(complement: str) -> None:
    result = run(FOUR, complement=complement, trajectories=202, companions=0)
    assert result["provenance"]["evaluations"] == 202 * 64 * 2
    assert [curve["n"] for curve in result["curves"].values()] == [51, 51, 50, 50]


def test_a_random_other_class_takes_a_third_evaluation_on_its_side_alone() -> None:
    third = {"complement": "rebuilt", "complement_paths": "random-class"}
    result = run(FOUR, **third, trajectories=200, companions=0)
    sides = {p["label"]: p["n"] for p in result["curves"]["rest.8"]["profiles"]}
    spent = result["provenance"]
    assert 200 * 64 * 2 < spent["evaluations"] < spent["evaluations_full"] == 200 * 64 * 3
    assert sum(sides.values()) == 50
    assert "rest" not in sides


@pytest.mark.parametrize("complement", ["rebuilt", "unconditional"])
@pytest.mark.parametrize("paths", ["rebuilt", "unconditional", "random-class"])
@pytest.mark.parametrize("prior", [0.5, 0.8])
def test_no_pair_of_a_sound_run_shows_a_red_badge(
    complement: str, paths: str, prior: float
) -> None:
    result = run(PAIR, complement=complement, complement_paths=paths, pair_prior=prior)
    assert [check["name"] for check in result["checks"] if not check["ok"]] == []
    named = {check["name"].partition("[")[0] for check in result["checks"]}
    assert ("cross_entropy_equals_entropy" in named) == (complement == paths)


@pytest.mark.parametrize(
    ("paths", "prior", "expected"),
    [
        ("unconditional", 0.5, 0.75 * 0.9182958),  # odds of 2 : 1 on three of four paths
        ("random-class", 0.5, 0.5 * 0.9182958),
        ("random-class", 0.2, 0.2 * 0.9182958),  # 0.2 / (0.2 + 0.8 / 2) = 1 / 3
    ],
)
def test_against_the_unconditional_branch_the_curve_ends_on_its_floor(
    paths: str, prior: float, expected: float
) -> None:
    # Far apart on fine steps: nothing else is undecided at the end.
    far = {"means": [[-100], [100]], "std": 0.5, "kind": "points"}
    schedule = {"steps": 128, "sigma_max": 5000, "sigma_min": 0.05}
    fields = {"complement": "unconditional", "complement_paths": paths, "pair_prior": prior}
    result = run(PAIR, params=far, schedule=schedule, **fields)
    for curve in result["curves"].values():
        floor = curve["floor"]
        assert floor["saturation"] == pytest.approx(1)
        assert floor["expected"] == pytest.approx(expected, abs=1e-6)
        off = abs(floor["entropy"] - floor["expected"])
        assert off < 4 * floor["entropy_se"] + 0.01


def largest_errors(means: list[list[int]], **fields: Any) -> float:
    """Return how far the first curve is from the truth at any level, less 4 standard errors."""
    result = run(means, **fields)
    curve = next(iter(result["curves"].values()))
    worst = 0.0
    for level in range(0, 64, 4):
        truth = line_truth(mixture(means, [0.5, 0.5]), result["sigma"][level])[0] / math.log(2)
        off = abs(curve["entropy"][level] - truth) - 4 * curve["entropy_se"][level]
        worst = max(worst, off)
    return worst


def test_the_rebuilt_complement_is_closer_to_the_truth_than_the_unconditional_branch() -> None:
    rebuilt = largest_errors(PAIR, complement="rebuilt")
    assert rebuilt < 0.1
    assert largest_errors(PAIR, complement="unconditional") > 0.5


def test_a_wanted_prior_of_the_pair_is_where_its_curve_begins() -> None:
    for wanted, own in ((0.2, 0.2), ("prior", 0.25)):
        result = run(FOUR, complement="rebuilt", pair_prior=wanted, trajectories=400)
        start = -own * np.log2(own) - (1 - own) * np.log2(1 - own)
        for curve in result["curves"].values():
            assert curve["entropy"][0] == pytest.approx(start)
            assert curve["bound"] == pytest.approx(start)


def test_numbers_of_pairs_do_not_depend_on_the_batch_they_ran_in() -> None:
    fields = {"complement": "rebuilt", "trajectories": 40, "schedule": {"steps": 16}}
    one, other = (
        run(FOUR, **fields, batch_sizes={"first": first, "largest": largest})
        for first, largest in ((1, 7), (40, 40))
    )
    for key, curve in one["curves"].items():
        np.testing.assert_allclose(
            curve["entropy"], other["curves"][key]["entropy"], atol=1e-9, rtol=0
        )


def test_chosen_classes_take_turns_among_themselves_against_the_whole_rest() -> None:
    some = {"partitions": {"some": {"each": [3, "-8"]}}, "companions": 0}
    few = run(FOUR, **some, complement="rebuilt", trajectories=102)
    assert few["provenance"]["evaluations"] == 102 * 64 * 2
    assert {key: curve["n"] for key, curve in few["curves"].items()} == {
        "some.8": 51,
        "some.8-3": 51,
    }
    for curve in few["curves"].values():
        sides = {profile["label"]: profile["n"] for profile in curve["profiles"]}
        assert set(sides) == {curve["path"][0], "rest"} and sum(sides.values()) == 51


def test_chosen_classes_have_the_curves_that_each_class_has() -> None:
    fields = {"trajectories": 64, "schedule": {"steps": 16}}
    every, few = (run(FOUR, partitions={"rest": own}, **fields) for own in ("each-vs-rest", EACH))
    (key,) = few["curves"]
    assert few["curves"][key] == every["curves"][key]
