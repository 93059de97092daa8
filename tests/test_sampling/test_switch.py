"""Switching against the closed form of a pair, and the crossover against known curves."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from entroscope.measurement.curves.switch import crossover
from entroscope.measurement.plan.noise_levels import karras
from entroscope.protocol.spec import Schedule
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.sampling.studies.switching import Switched, another

PAIR = {"kind": "pair", "dimension": 16}
SCHEDULE = {"steps": 256, "sigma_max": 100, "sigma_min": 0.25, "rho": 7}


def phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def truth(sigma: float, end: float = 0.25, m: float = 4.0) -> float:
    """Return how often a switched copy of a pair follows.

    With A^2 = 1 + sigma^2 and B^2 = 1 + end^2, a state of +m at sigma is N(m, A^2) along the axis,
    and the rest of the way with -m takes x to N(-m + (B/A)^2 (x + m), B^2 (1 - (B/A)^2)): over all
    states N(-m (1 - 2 (B/A)^2), B^2), which is below 0 with probability phi(m (1 - 2 (B/A)^2) / B).
    """
    b = 1 + end**2
    return phi(m * (1 - 2 * b / (1 + sigma**2)) / math.sqrt(b))


@pytest.fixture(scope="module")
def switched() -> dict[str, Any]:
    sigmas = karras(Schedule.model_validate(SCHEDULE))
    wanted = [float(sigmas[np.abs(sigmas - level).argmin()]) for level in (20, 2, 1.4, 1, 0.8, 0.5)]
    spec = {"params": PAIR, "schedule": SCHEDULE, "trajectories": 500, "previews": None}
    asked = {"sigmas": wanted, "trajectories": 500}
    return measure("gaussian-mixture", {**spec, "studies": {"switch": asked}})


def test_copies_of_a_pair_follow_as_often_as_the_closed_form_says(switched: dict[str, Any]) -> None:
    for level in switched["studies"]["switch"]["levels"]:
        expected = truth(level["sigma"])
        error = math.sqrt(expected * (1 - expected) / 500)
        assert abs(level["followed"] - expected) < 4 * error + 0.03


def test_the_crossover_is_where_half_of_a_pair_follow(switched: dict[str, Any]) -> None:
    found = switched["studies"]["switch"]
    exact = math.sqrt(2 * (1 + 0.25**2) - 1)
    assert abs(found["crossover"]["sigma"] - exact) < 4 * found["crossover"]["error"] + 0.03
    # In 16 dimensions the class is decided at sigma 4: a label holds much longer than that.
    assert found["ratio_to_peak"] < 0.5
    assert found["inside_window"] is False


def test_a_copy_follows_where_the_exact_posterior_of_its_state_prefers_the_new_label() -> None:
    model = load(torch.device("cpu"))
    sigmas = karras(Schedule(steps=512, sigma_max=0.6, sigma_min=0.02, rho=7)).tolist()
    own = torch.arange(4).repeat_interleave(100)
    stream = torch.Generator().manual_seed(0)
    noise = torch.randn((400, 1), generator=stream, dtype=torch.float64)
    x = model.exact.means[own] + math.hypot(0.5, 0.6) * noise
    logits = model.exact.log_posterior(x, 0.6)
    switch = Switched(model.denoise, sigmas, x, logits, own, torch.arange(4), (0, range(400), 0))
    going = switch.copies(slice(0, 400))
    for _ in going.steps(lambda _, logits: torch.ones(len(logits), dtype=torch.int64)):
        pass
    exact = model.exact.log_posterior(going.x, sigmas[-1]).gather(1, going.labels)
    followed = going.logits[:, 1] > going.logits[:, 0]
    assert (followed == (exact[:, 1] > exact[:, 0])).double().mean() > 0.97
    assert 0.1 < followed.double().mean() < 0.9


def test_the_new_label_is_any_other_with_equal_chance() -> None:
    logits = torch.zeros((3000, 4), dtype=torch.float64)
    logits[:, 2] = -torch.inf
    uniform = torch.rand(3000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = torch.bincount(another(logits, torch.ones(3000, dtype=torch.int64), uniform))
    assert found.tolist()[1:3] == [0, 0]
    assert abs(int(found[0]) - 1500) < 4 * math.sqrt(750)


def test_the_crossover_of_a_logistic_curve_is_its_middle_with_an_honest_error() -> None:
    sigmas = np.geomspace(10, 0.1, 33)
    chance = 1 / (1 + (1.7 / sigmas) ** 3)
    found = []
    for seed in range(60):
        uniform = np.random.default_rng(seed).random((100, 1))  # one path at all of its levels
        crossing = crossover(sigmas, (uniform < chance).astype(float))
        assert crossing is not None
        found.append((crossing["sigma"], crossing["error"]))
    middles, errors = np.array(found).T
    assert middles.mean() == pytest.approx(1.7, rel=0.03)
    assert errors.mean() == pytest.approx(middles.std(ddof=1), rel=0.35)


@pytest.mark.parametrize("middle", [0.25, 0.5, 0.9])
def test_where_levels_are_few_the_error_of_the_crossover_covers_a_sudden_fall(
    middle: float,
) -> None:
    sigmas = np.array([4.0, 1.0, 0.2, 0.05])
    crossing = crossover(sigmas, np.tile((sigmas > middle).astype(float), (64, 1)))
    assert crossing is not None
    assert abs(np.log(crossing["sigma"] / middle)) < 2 * crossing["error"] / crossing["sigma"]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_passage_through_one_half_there_is_no_crossover(value: float) -> None:
    assert crossover(np.array([3.0, 2.0, 1.0]), np.full((5, 3), value)) is None
