"""The prior of a pair chosen afterwards equals the exact curve of that prior."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Record
from entroscope.measurement.curves.result import result_document
from entroscope.measurement.curves.reweighting import Values, at_pair_prior
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.commands.measure import run
from entroscope_workers.library.registry import load_model
from entroscope_workers.numerics.mixtures import Mixture, line_truth

CPU = torch.device("cpu")
PAIR = {"kind": "points", "means": [[-3], [3]], "std": 0.5}
FIELDS = {
    "params": {**PAIR, "priors": [0.6, 0.4]},
    "partitions": {"classes": None, "rest": "each-vs-rest"},
    "schedule": {"steps": 128, "sigma_max": 300, "sigma_min": 0.05},
    "trajectories": 1500,
    "previews": None,
}


def at(prior: float, **fields: Any) -> dict[str, Any]:
    """Return a result at another prior of the pair, from the values of one run."""
    model = load_model("gaussian-mixture", CPU)
    spec = Spec.model_validate({"model": "gaussian-mixture", **FIELDS, **fields})
    plan = resolve(spec, model.info)
    fold = Fold(plan)
    batches: list[Values] = [
        {"labels": record.labels, **record.values}
        for record in run(plan, model, fold)
        if isinstance(record, Record)
    ]
    return at_pair_prior(plan, result_document(fold), batches, prior)


def assert_is_exact(result: dict[str, Any], key: str, priors: list[float]) -> None:
    points = torch.tensor([[-3.0], [3.0]], dtype=torch.float64)
    exact = Mixture(points, 0.5, torch.tensor(priors, dtype=torch.float64))
    curve, sigma = result["curves"][key], result["sigma"]
    for level in range(0, 128, 8):
        truth = np.array(line_truth(exact, sigma[level])) / math.log(2)
        for name, true in zip(("entropy", "production"), truth, strict=True):
            off = abs(curve[name][level] - true)
            assert off < 4 * curve[f"{name}_se"][level] + 0.02, (name, level)


@pytest.mark.parametrize("prior", [0.2, 0.9])
def test_another_prior_of_the_pair_is_the_exact_curve_of_that_prior(prior: float) -> None:
    result = at(prior)
    assert set(result["curves"]) == {"rest.3", "rest.3-1"}
    assert_is_exact(result, "rest.3", [prior, 1 - prior])
    assert_is_exact(result, "rest.3-1", [1 - prior, prior])


def test_of_many_classes_the_others_keep_their_shares() -> None:
    """Four classes at -8, -4, 6, 8: rest.8 at 0.5 is 0.5 to a sixth each, run freshly so."""
    four = {"kind": "points", "means": [[-8], [-4], [6], [8]], "std": 0.5}
    fields = {**FIELDS, "params": four, "partitions": {"rest": "each-vs-rest"}}
    prior = {"-8": 0.5, "-4": 1 / 6, "6": 1 / 6, "8": 1 / 6}
    fresh = measure("gaussian-mixture", {**fields, "prior": prior, "seed": 1})
    one, other = at(0.5, **fields)["curves"]["rest.8"], fresh["curves"]["rest.8"]
    for name in ("entropy", "cross_entropy", "production"):
        apart = np.abs(np.array(one[name]) - other[name])
        error = np.hypot(one[f"{name}_se"], other[f"{name}_se"])
        assert (apart <= 4.5 * error + 1e-3).all(), name


def test_sampled_pairs_at_another_prior_are_a_fresh_run_at_that_prior() -> None:
    pairs = {"partitions": {"rest": "each-vs-rest"}, "complement": "rebuilt"}
    pairs["params"] = PAIR
    fresh = measure("gaussian-mixture", {**FIELDS, **pairs, "pair_prior": 0.2, "seed": 1})
    later = at(0.2, **pairs)
    for key, curve in later["curves"].items():
        other = fresh["curves"][key]
        assert curve["bound"] == pytest.approx(other["bound"])
        for name in ("entropy", "production"):
            apart = np.abs(np.array(curve[name]) - other[name])
            error = np.hypot(curve[f"{name}_se"], other[f"{name}_se"])
            assert (apart <= 4.5 * error + 1e-3).all(), name


def test_where_other_paths_are_walked_the_production_is_the_slope_of_the_entropy() -> None:
    fields = {
        "partitions": {"rest": "each-vs-rest"},
        "params": PAIR,
        "complement": "unconditional",
        "complement_paths": "random-class",
        "trajectories": 400,
    }
    result = at(0.3, **fields)
    curve, logs = result["curves"]["rest.3"], np.log(result["sigma"])
    # 0.3 / (0.3 + 0.7 / 2) on the class's own paths, where the log-ratio saturates at one bit
    assert curve["floor"]["expected"] == pytest.approx(0.3 * 0.9957275, abs=1e-6)
    np.testing.assert_allclose(curve["production"], np.gradient(curve["entropy"], logs), atol=1e-9)


def test_at_the_prior_it_was_sampled_with_a_run_of_pairs_is_unchanged_within_its_error() -> None:
    fields = {
        "partitions": {"rest": "each-vs-rest"},
        "params": PAIR,
        "complement": "rebuilt",
        "trajectories": 400,
    }
    plain = measure("gaussian-mixture", {**FIELDS, **fields})["curves"]["rest.3"]
    same = at(0.5, **fields)["curves"]["rest.3"]
    assert same["n"] == plain["n"]
    apart = np.abs(np.array(same["entropy"]) - plain["entropy"])
    assert (apart <= np.array(plain["entropy_se"]) + 1e-6).all()
