"""The tree mixture against its closed form: every decision in it is a pair of its own."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.mixtures.params import mixture_params
from entroscope_workers import measure
from entroscope_workers.numerics.mixtures import pair_entropy, pair_production

BITS = 1 / math.log(2)
DIMENSION, OFFSETS, STD = 16, [6.0, 1.0], 0.8
PARAMS = {"kind": "tree", "dimension": DIMENSION, "offsets": OFFSETS, "std": STD}
#: Which levels a curve decides.
DECIDED = {
    "classes": (0, 1),
    "tree": (0,),
    "tree.a": (1,),
    "tree.b": (1,),
    "level-1": (0,),
    "level-2": (1,),
}


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    presets = mixture_params(PARAMS).presets()
    partitions = {p.name: [group.model_dump() for group in p.partition] for p in presets}
    return measure(
        "gaussian-mixture",
        {
            "params": PARAMS,
            "partitions": {"classes": None, **partitions},
            "trajectories": 1000,
            "schedule": {"steps": 256},
            "previews": None,
        },
    )


def truth(sigmas: NDArray[np.float64], level: int) -> dict[str, NDArray[np.float64]]:
    r = OFFSETS[level] * np.sqrt(DIMENSION / (STD**2 + sigmas**2))
    entropy = [BITS * pair_entropy(x) for x in r]
    production = [BITS * pair_production(x, s, STD) for x, s in zip(r, sigmas, strict=True)]
    return {"entropy": np.array(entropy), "production": np.array(production)}


@pytest.mark.parametrize("key", DECIDED)
@pytest.mark.parametrize("quantity", ["entropy", "production"])
def test_every_decision_of_a_tree_follows_the_pair_of_its_level(
    result: dict[str, Any], key: str, quantity: str
) -> None:
    sigmas, curve = np.array(result["sigma"]), result["curves"][key]
    exact = sum(truth(sigmas, level)[quantity] for level in DECIDED[key])
    off = np.abs(np.array(curve[quantity]) - exact)
    assert (off <= 4 * np.array(curve[f"{quantity}_se"]) + 0.02).all(), off.max()


def test_two_scales_have_two_peaks_of_production_where_their_offsets_are(
    result: dict[str, Any],
) -> None:
    peaks = {window["curve"]: window["sigma_peak"] for window in result["windows"]}
    assert peaks["tree"] / peaks["tree.a"] == pytest.approx(6, rel=0.35)
    n = {key: result["curves"][key]["n"] for key in DECIDED}
    assert n["tree"] == n["classes"] == 1000 == n["tree.a"] + n["tree.b"]


def test_a_run_of_a_tree_passes_its_checks(result: dict[str, Any]) -> None:
    assert [check for check in result["checks"] if not check["ok"]] == []
