"""Runs against closed forms and quadrature: 512 steps, 2000 trajectories (guide: Known answers).

Every point must lie within 4 standard errors plus 0.02 bits of the truth: the 0.02 are the error of
the steps, which no number of trajectories removes.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.curves.axes import Axis, place, production_factor
from entroscope_workers import measure
from entroscope_workers.numerics.mixtures import pair_entropy, pair_production

Array = NDArray[np.float64]
BITS = 1 / math.log(2)
GOLDEN = json.loads((Path(__file__).parents[1] / "data/gaussian_mixture_1d.json").read_text())
FOUR = {"kind": "points", "means": [[-8], [-4], [6], [8]], "std": 0.5}
PARTITIONS = {
    "1-D mixture all four classes": None,
    "1-D mixture {-8,-4} vs {6,8}": [["-8", "-4"], ["6", "8"]],
    "1-D mixture -8 vs -4": [["-8"], ["-4"]],
    "1-D mixture 6 vs 8": [["6"], ["8"]],
    "1-D mixture -8 vs rest": [["-8"], ["-4", "6", "8"]],
}


def groups(lists: list[list[str]] | None) -> list[dict[str, Any]] | None:
    if lists is None:
        return None
    return [{"name": " ".join(labels), "labels": labels} for labels in lists]


def arrays(result: dict[str, Any], key: str) -> dict[str, Array]:
    curve = result["curves"][key]
    return {
        name: np.array(v)
        for name, v in curve.items()
        if name.startswith(("ent", "pro")) and name != "profiles"
    }


@pytest.fixture(scope="module")
def four() -> dict[str, Any]:
    partitions = {f"p{i}": groups(lists) for i, lists in enumerate(PARTITIONS.values())}
    schedule = {"steps": 512, "sigma_max": 400, "sigma_min": 0.05}
    spec = {"params": FOUR, "partitions": partitions, "schedule": schedule, "trajectories": 2000}
    return measure("gaussian-mixture", spec)


def assert_on_golden(result: dict[str, Any], key: str, name: str, quantity: str) -> None:
    (case,) = [c for c in GOLDEN["cases"] if c["name"] == name]
    curve, grid = arrays(result, key), np.log(result["sigma"])[::-1]
    at = np.log(case["sigma"][1:])  # the first level is the end of the grid
    truth = BITS * np.array(case["H" if quantity == "entropy" else "production"][1:])
    found = np.interp(at, grid, curve[quantity][::-1])
    error = np.interp(at, grid, curve[f"{quantity}_se"][::-1])
    assert (np.abs(found - truth) <= 4 * error + 0.02).all(), np.c_[case["sigma"][1:], found, truth]


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("quantity", ["entropy", "production"])
def test_every_partition_of_the_four_point_mixture_is_where_quadrature_puts_it(
    four: dict[str, Any], index: int, quantity: str
) -> None:
    assert_on_golden(four, f"p{index}", list(PARTITIONS)[index], quantity)


def test_a_partition_of_some_classes_counts_only_their_trajectories(four: dict[str, Any]) -> None:
    n = {key: curve["n"] for key, curve in four["curves"].items()}
    assert n["p0"] == n["p1"] == n["p4"] == 2000
    assert n["p2"] + n["p3"] == 2000


def test_a_run_of_two_classes_alone_gives_what_they_give_among_others() -> None:
    name = "1-D mixture 6 vs 8"
    schedule = {"steps": 512, "sigma_max": 400, "sigma_min": 0.05}
    spec = {"params": FOUR, "partitions": {"two": groups(PARTITIONS[name])}, "schedule": schedule}
    result = measure("gaussian-mixture", {**spec, "trajectories": 2000, "companions": 0})
    assert result["provenance"]["evaluations"] == 2000 * 512 * 2
    for quantity in ("entropy", "production"):
        assert_on_golden(result, "two", name, quantity)


@pytest.fixture(scope="module", params=[2, 64, 4096])
def pair(request: pytest.FixtureRequest) -> dict[str, Any]:
    params = {"kind": "pair", "dimension": request.param, "offset": 1}
    top = 20 * request.param**0.5
    schedule = {"steps": 512, "sigma_max": top, "sigma_min": 0.05}
    spec = {"params": params, "schedule": schedule, "trajectories": 2000, "previews": None}
    return measure("gaussian-mixture", spec) | {"dimension": request.param}


def truths(pair: dict[str, Any]) -> tuple[Array, Array]:
    sigmas = np.array(pair["sigma"])
    r = np.sqrt(pair["dimension"] / (1 + sigmas**2))
    entropy = [BITS * pair_entropy(x) for x in r]
    production = [BITS * pair_production(x, s) for x, s in zip(r, sigmas, strict=True)]
    return np.array(entropy), np.array(production)


def test_a_pair_in_any_dimension_follows_its_closed_form(pair: dict[str, Any]) -> None:
    curve = arrays(pair, "classes")
    for name, truth in zip(("entropy", "production"), truths(pair), strict=True):
        off = np.abs(curve[name] - truth)
        assert (off <= 4 * curve[f"{name}_se"] + 0.02).all(), (name, off.max())


def test_on_the_vp_axis_the_pair_has_half_a_bit_at_the_speciation_time(
    pair: dict[str, Any],
) -> None:
    sigmas, curve = np.array(pair["sigma"]), arrays(pair, "classes")
    t = place(sigmas, Axis.VP_TIME)
    speciation = 0.5 * math.log(pair["dimension"])
    found = np.interp(speciation, t[::-1], curve["entropy"][::-1])
    error = np.interp(speciation, t[::-1], curve["entropy_se"][::-1])
    assert abs(found - 0.51405585) <= 4 * error + 0.02


def test_on_the_vp_axis_production_peaks_where_and_as_high_as_it_must(
    pair: dict[str, Any],
) -> None:
    sigmas, curve = np.array(pair["sigma"]), arrays(pair, "classes")
    t, factor = place(sigmas, Axis.VP_TIME), production_factor(sigmas, Axis.VP_TIME)
    at = 0.5 * math.log(pair["dimension"]) - 0.20550
    found = np.interp(at, t[::-1], (factor * curve["production"])[::-1])
    error = np.interp(at, t[::-1], (factor * curve["production_se"])[::-1])
    assert abs(found - 0.69180) <= 4 * error + 0.02


def test_all_checks_of_a_fine_run_pass(pair: dict[str, Any], four: dict[str, Any]) -> None:
    failed = [check for run in (pair, four) for check in run["checks"] if not check["ok"]]
    assert failed == []
