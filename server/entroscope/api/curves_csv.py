"""A result as CSV: one line per curve and noise level, columns that name unit and axis."""

import csv
from collections.abc import Iterator, Mapping
from enum import StrEnum
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.axes import NATS_PER_BIT, Axis, place, production_factor
from entroscope.measurement.curves.result import curve_arrays


class Unit(StrEnum):
    """What information is counted in."""

    BITS = "bits"
    NATS = "nats"


#: Unit of production on each axis: information per one of these.
PER = {
    Axis.SIGMA: Axis.LN_SIGMA,
    Axis.LN_SIGMA: Axis.LN_SIGMA,
    Axis.LOG_SNR: Axis.LOG_SNR,
    Axis.VP_TIME: Axis.VP_TIME,
}
AMOUNTS = (
    "entropy",
    "entropy_se",
    "entropy_step_error",
    "cross_entropy",
    "cross_entropy_se",
    "entropy_combined",
    "entropy_combined_se",
)
RATES = ("production", "production_se", "production_combined", "production_combined_se")
#: Further columns of runs on data: shares, then amounts.
SHARES = ("accuracy", "accuracy_se")
CORRECTED = tuple(
    f"{name}_corrected{end}" for name in ("entropy", "cross_entropy") for end in ("", "_se")
)


def curves_csv(result: Mapping[str, Any], unit: Unit, axis: Axis) -> str:
    """Return all curves of a result; sigma is always there, the chosen axis beside it."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for line in _lines(result, unit, axis):
        writer.writerow(line)
    return file.getvalue()


def _lines(result: Mapping[str, Any], unit: Unit, axis: Axis) -> Iterator[list[Any]]:
    axes = ["sigma"] if axis == Axis.SIGMA else ["sigma", axis.value]
    amounts = [f"{name}_{unit}" for name in AMOUNTS]
    rates = [f"{name}_{unit}_per_{PER[axis]}" for name in RATES]
    on_data = any(curve.get("calibration") for curve in result["curves"].values())
    further = [*SHARES, *(f"{name}_{unit}" for name in CORRECTED)] if on_data else []
    yield ["curve", *axes, "n", *amounts, *rates, *further]
    arrays = curve_arrays(result)
    sigma = arrays["sigma"]
    factor = NATS_PER_BIT if unit == Unit.NATS else 1.0
    places = [sigma] if axis == Axis.SIGMA else [sigma, place(sigma, axis)]
    for key, curve in result["curves"].items():
        columns = [arrays[f"{key}:{name}"] * factor for name in AMOUNTS]
        columns += [
            arrays[f"{key}:{name}"] * factor * production_factor(sigma, axis) for name in RATES
        ]
        columns += _calibrated(curve, factor) if on_data else []
        for row in range(len(sigma)):
            values = [_text(column[row]) for column in columns]
            yield [key, *(_text(at[row]) for at in places), curve["n"], *values]


def _calibrated(curve: Mapping[str, Any], factor: float) -> list[NDArray[np.float64]]:
    own = curve["calibration"]
    factors = {**dict.fromkeys(SHARES, 1.0), **dict.fromkeys(CORRECTED, factor)}
    return [np.array(own[name], dtype=np.float64) * times for name, times in factors.items()]


def _text(value: float) -> str:
    """Return a number so that reading it gives the same one; empty where there is none."""
    return repr(float(value)) if np.isfinite(value) else ""
