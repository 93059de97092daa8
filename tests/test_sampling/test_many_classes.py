"""Pruned labels: fewer pairs, real ones, and an error that stays within the stated bound."""

from typing import Any

import numpy as np
import pytest
import torch

from entroscope.protocol.errors import SpecError
from entroscope_workers import measure
from entroscope_workers.numerics.posterior import Grouping

SPEC: dict[str, Any] = {
    "params": {"kind": "random", "components": 40, "dimension": 8, "spread": 4},
    "trajectories": 64,
    "schedule": {"steps": 24, "sigma_max": 200, "sigma_min": 0.1},
    "previews": None,
}


def curve(prune_below: float) -> tuple[dict[str, Any], dict[str, Any]]:
    result = measure("gaussian-mixture", SPEC | {"prune_below": prune_below, "companions": 0})
    return result["curves"]["classes"], result["provenance"]


def test_pruning_saves_pairs_and_moves_the_entropy_by_less_than_its_bound() -> None:
    whole, everything = curve(0)
    assert whole["pruning"] is None
    assert everything["evaluations"] == everything["evaluations_full"] == 64 * 24 * 40
    before = everything["evaluations"]
    for threshold in (1e-6, 1e-4, 1e-3):
        pruned, price = curve(threshold)
        bound = np.array(pruned["pruning"]["entropy_bound"])
        moved = np.abs(np.subtract(pruned["entropy"], whole["entropy"]))
        assert (moved <= bound + 1e-9).all(), threshold
        assert price["evaluations"] < before
        before = price["evaluations"]


def leaves(*labels: int) -> list[dict[str, Any]]:
    return [{"name": str(label), "labels": [label]} for label in labels]


@pytest.mark.parametrize("trajectories", [2, 200])
def test_decisions_inside_a_group_that_was_pruned_as_a_whole_go_on_for_the_others(
    trajectories: int,
) -> None:
    groups = [{"name": "x", "groups": leaves(0, 1)}, {"name": "y", "groups": leaves(2, 3)}]
    spec = {
        "params": {"kind": "tree", "dimension": 64, "offsets": [16, 1]},
        "partitions": {"tree": groups, "pair": leaves(0, 1)},
        "trajectories": trajectories,
        "previews": None,
    }
    whole, pruned = (
        measure("gaussian-mixture", spec | {"prune_below": below}) for below in (0, 1e-6)
    )
    assert pruned["provenance"]["evaluations"] < whole["provenance"]["evaluations"]
    for key, own in pruned["curves"].items():
        assert own["n"] == whole["curves"][key]["n"]
        if own["n"]:
            bound = np.array(own["pruning"]["entropy_bound"])
            moved = np.abs(np.subtract(own["entropy"], whole["curves"][key]["entropy"]))
            assert (moved <= bound + 1e-4).all(), key  # it holds in the mean, not for each of two
    if trajectories > 2:
        assert [check["name"] for check in pruned["checks"] if not check["ok"]] == []


def test_what_was_dropped_stays_dropped() -> None:
    pruned, _ = curve(1e-3)
    dropped = np.array(pruned["pruning"]["dropped"])
    assert (np.diff(dropped) >= 0).all() and 0 < dropped[-1] < 40e-3


def test_a_threshold_that_would_drop_labels_at_the_start_is_refused() -> None:
    with pytest.raises(SpecError, match="prior"):
        curve(0.03)


def test_a_partition_over_kept_columns_keeps_its_groups() -> None:
    grouping = Grouping.of(((4, 0), (2,), (7, 1)), torch.device("cpu"))
    among = grouping.among(torch.tensor([0, 1, 3, 7]))
    found = dict(zip(among.columns.tolist(), among.group.tolist(), strict=True))
    assert found == {0: 0, 1: 2, 3: 2}  # columns 0, 1 and 7; groups keep their numbers
    assert among.num_groups == 3
