"""Paths of data drawn from the exact mixtures: the truth is the posterior of each state."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.quantities import CROSS_ENTROPY, ENTROPY
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture, load
from entroscope_workers.numerics.entropy import cross_entropy, posterior_entropy
from entroscope_workers.numerics.mixtures import pair_entropy
from entroscope_workers.sampling.chain import Chain
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.path_noise import path_noise

Array = NDArray[np.float64]
LEVELS = {"sigma_max": 400, "sigma_min": 0.05}


def chain_of(trajectories: int, steps: int, **fields: Any) -> tuple[Chain, GaussianMixture]:
    model = load(torch.device("cpu"))
    document = {"model": "gaussian-mixture", "paths_from": "data", "trajectories": trajectories}
    schedule = {"steps": steps, **LEVELS}
    plan = resolve(Spec.model_validate({"schedule": schedule, **document, **fields}), model.info)
    bound = LoadedModel.of(model).bind(plan.spec.params, plan.labels)
    chain = Chain(plan, bound, path_noise(plan, bound, range(trajectories)))
    return chain, model.bind(plan.spec.params, plan.labels)


@torch.inference_mode()
def errors(steps: int, trajectories: int = 1500) -> dict[str, float]:
    """Return how far entropy and gap are from the exact posterior's, mean over even levels."""
    chain, bound = chain_of(trajectories, steps)
    x, found = chain.x.clone(), []
    for sigma, measured in zip(chain.sigmas, chain.steps(), strict=True):
        exact = bound.exact.log_posterior(x, sigma)
        entropy, cross = posterior_entropy(exact).numpy(), cross_entropy(exact, chain.label).numpy()
        full, calibration = measured.values[0], measured.calibration
        assert calibration is not None
        _, _, corrected, cross_corrected = calibration[0]
        entropies, surprises = full[ENTROPY.row], full[CROSS_ENTROPY.row]
        ours = [entropies, surprises - entropies, corrected, cross_corrected - corrected]
        truth = [entropy, cross - entropy, entropy, cross - entropy]
        found.append((np.array(ours) - truth).mean(1))
        x = chain.x.clone()
    names = ("entropy", "gap", "entropy_corrected", "gap_corrected")
    return dict(zip(names, np.array(found)[::2].mean(0), strict=True))


def test_over_confidence_halves_with_the_step_and_the_half_path_removes_most_of_it() -> None:
    coarse, fine = errors(32), errors(64)
    assert coarse["gap"] > fine["gap"] > 0
    assert fine["gap"] == pytest.approx(coarse["gap"] / 2, rel=0.4)
    assert fine["entropy"] == pytest.approx(coarse["entropy"] / 2, rel=0.3)
    for name in ("gap", "entropy"):
        assert abs(fine[f"{name}_corrected"]) < 0.4 * abs(fine[name])


def test_data_that_follow_the_model_have_the_exact_entropy_as_cross_entropy() -> None:
    params = {"kind": "pair", "dimension": 16}
    schedule = {"steps": 128, "sigma_max": 80, "sigma_min": 0.1}
    spec = {"params": params, "paths_from": "data", "schedule": schedule, "trajectories": 1000}
    result = measure("gaussian-mixture", {**spec, "previews": None})
    curve = result["curves"]["classes"]
    r = 4 / np.sqrt(1 + np.array(result["sigma"][::2]) ** 2)
    truth = np.array([pair_entropy(float(each)) / math.log(2) for each in r])
    for name in ("entropy_corrected", "cross_entropy_corrected"):
        found = np.array(curve["calibration"][name][::2])
        se = np.array(curve["calibration"][f"{name}_se"][::2])
        assert (np.abs(found - truth) <= 4 * se + 0.005).all(), name
    assert {c["name"].partition("[")[0] for c in result["checks"]} == {
        "entropy_bounds",
        "information_above_sigma_max",
    }
    assert all(check["ok"] for check in result["checks"])


def test_the_path_of_a_datum_is_the_forward_chain() -> None:
    """Increments of the noise have the variance a^2 - b^2 and do not know of each other."""
    chain, _ = chain_of(40, 6, params={"kind": "pair", "dimension": 500})
    states = [chain.x.clone()]
    states += [chain.x.clone() for _ in chain.steps()][:-1]
    assert chain._data is not None
    noise = torch.stack([state - chain._data.data for state in reversed(states)])
    levels = torch.tensor(chain.sigmas[::-1], dtype=torch.float64)
    increments = torch.cat([noise[:1], noise.diff(dim=0)]).flatten(1)
    increments = increments / torch.cat([levels[:1], levels.square().diff().sqrt()])[:, None]
    covariance = increments @ increments.T / increments.shape[1]
    assert float((covariance - torch.eye(len(levels))).abs().max()) < 5 / math.sqrt(20_000)


def test_a_path_of_data_does_not_depend_on_its_batch() -> None:
    spec = {"paths_from": "data", "trajectories": 24, "schedule": {"steps": 12}, "previews": None}
    runs = [
        measure("gaussian-mixture", {**spec, "batch_sizes": sizes})
        for sizes in ({"first": 24, "largest": 24}, {"first": 3, "largest": 7})
    ]
    one, other = (run["curves"]["classes"] for run in runs)
    for name in ("entropy", "cross_entropy"):
        np.testing.assert_allclose(one[name], other[name], atol=1e-9)
    for name in ("accuracy", "cross_entropy_corrected", "gap_se"):
        left, right = (np.array(curve["calibration"][name], float) for curve in (one, other))
        np.testing.assert_allclose(left, right, atol=1e-9)
    diagrams = [curve["calibration"]["reliability"]["count"] for curve in (one, other)]
    assert diagrams[0] == diagrams[1] and sum(diagrams[0][5]) == 24


def test_answers_of_an_exact_model_are_right_as_often_as_they_say() -> None:
    schedule = {"steps": 128, **LEVELS}
    spec = {"paths_from": "data", "trajectories": 1200, "schedule": schedule, "previews": None}
    result = measure("gaussian-mixture", spec)
    step = int(np.argmin(np.abs(np.array(result["sigma"]) - 6)))
    diagram = result["curves"]["classes"]["calibration"]["reliability"]
    filled = np.array(diagram["count"][step]) >= 100
    assert filled.sum() >= 3
    n = np.array(diagram["count"][step])[filled]
    confidence = np.array(diagram["confidence"][step], float)[filled]
    accuracy = np.array(diagram["accuracy"][step], float)[filled]
    allowed = 4 * np.sqrt(confidence * (1 - confidence) / n) + 0.02
    assert (np.abs(accuracy - confidence) <= allowed).all()
