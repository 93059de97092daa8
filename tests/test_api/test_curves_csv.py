"""The table of a result has the columns of what was measured, each with its unit."""

import csv
import math
from io import StringIO
from typing import Any

from entroscope.api.curves_csv import curves_csv
from entroscope.measurement.curves.axes import Axis, Unit
from entroscope_workers import measure


def rows(result: dict[str, Any], unit: Unit) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(curves_csv(result, unit, Axis.SIGMA))))


def test_accuracy_and_corrected_curves_are_columns_of_runs_on_data_only() -> None:
    spec = {"trajectories": 8, "schedule": {"steps": 5}, "previews": None}
    model, data = (
        measure("gaussian-mixture", {**spec, "paths_from": paths}) for paths in ("model", "data")
    )
    calibration = data["curves"]["classes"]["calibration"]
    bits, nats = rows(data, Unit.BITS), rows(data, Unit.NATS)
    assert [float(row["accuracy"]) for row in bits] == calibration["accuracy"]
    assert [row["cross_entropy_corrected_bits"] == "" for row in bits] == [False, True] * 2 + [
        False
    ]
    times = float(nats[4]["entropy_corrected_nats"]) / float(bits[4]["entropy_corrected_bits"])
    assert math.isclose(times, math.log(2))
    assert "accuracy" not in rows(model, Unit.BITS)[0]


def test_what_pruning_did_stands_in_the_table_of_a_pruned_run_only() -> None:
    spec = {"trajectories": 8, "schedule": {"steps": 5}, "previews": None}
    whole, pruned = (
        measure("gaussian-mixture", {**spec, "prune_below": threshold}) for threshold in (0, 0.01)
    )
    table, document = rows(pruned, Unit.NATS), pruned["curves"]["classes"]["pruning"]
    assert [float(row["pruning_dropped"]) for row in table] == document["dropped"]
    bounds = [float(row["pruning_entropy_bound_nats"]) / math.log(2) for row in table]
    assert all(map(math.isclose, bounds, document["entropy_bound"]))
    assert document["entropy_bound"][-1] > 0
    assert not [name for name in rows(whole, Unit.NATS)[0] if name.startswith("pruning")]


def test_rates_change_with_the_axis_and_name_it() -> None:
    result = measure("gaussian-mixture", {"trajectories": 8, "schedule": {"steps": 3}})
    (first, *_) = csv.DictReader(StringIO(curves_csv(result, Unit.NATS, Axis.LOG_SNR)))
    production = result["curves"]["classes"]["production"][0] * math.log(2) / 2
    assert math.isclose(float(first["production_nats_per_log_snr"]), production)
    assert list(first)[:5] == ["curve", "sigma", "log_snr", "n", "entropy_nats"]
