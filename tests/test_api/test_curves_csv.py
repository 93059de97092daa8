"""The table of a run on data has what only data tell."""

import csv
import math
from io import StringIO
from typing import Any

from entroscope.api.curves_csv import Unit, curves_csv
from entroscope.measurement.curves.axes import Axis
from entroscope_workers import measure


def rows(result: dict[str, Any], unit: Unit) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(curves_csv(result, unit, Axis.SIGMA))))


def test_accuracy_and_corrected_curves_are_columns_of_runs_on_data_only() -> None:
    spec = {"trajectories": 8, "schedule": {"steps": 5}, "previews": None}
    model, data = (
        measure("gaussian-mixture", {**spec, "paths_from": paths}) for paths in ("model", "data")
    )
    own = data["curves"]["classes"]["calibration"]
    bits, nats = rows(data, Unit.BITS), rows(data, Unit.NATS)
    assert [float(row["accuracy"]) for row in bits] == own["accuracy"]
    assert [row["cross_entropy_corrected_bits"] == "" for row in bits] == [False, True] * 2 + [
        False
    ]
    times = float(nats[4]["entropy_corrected_nats"]) / float(bits[4]["entropy_corrected_bits"])
    assert math.isclose(times, math.log(2))
    assert "accuracy" not in rows(model, Unit.BITS)[0]
