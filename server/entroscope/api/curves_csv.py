"""A result as CSV: one line per curve and noise level, columns that name unit and axis."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.axes import PER, Axis, Unit, in_unit, place
from entroscope.measurement.curves.result import curve_arrays
from entroscope.protocol.quantities import (
    BITS,
    CALIBRATED,
    COLUMNS,
    PRUNING,
    Column,
    mean_and_error,
)

Array = NDArray[np.float64]

#: Columns of every result, those that change with the axis last.
ALWAYS = sorted(COLUMNS, key=lambda column: column.quantity.is_rate)
#: Columns of the parts that only some curves have: of runs on data, and of pruned ones.
SOMETIMES = {"calibration": mean_and_error(CALIBRATED), "pruning": PRUNING}
#: What stands before the names of such a part.
PREFIX = {"calibration": "", "pruning": "pruning_"}


def curves_csv(result: Mapping[str, Any], unit: Unit, axis: Axis) -> str:
    """Return all curves of a result; sigma is always there, the chosen axis beside it."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for line in _lines(result, unit, axis):
        writer.writerow(line)
    return file.getvalue()


def _lines(result: Mapping[str, Any], unit: Unit, axis: Axis) -> Iterator[list[Any]]:
    axes = ["sigma"] if axis == Axis.SIGMA else ["sigma", axis.value]
    curves = result["curves"]
    parts = [part for part in SOMETIMES if any(curve.get(part) for curve in curves.values())]
    further = [PREFIX[part] + _title(c, unit, axis) for part in parts for c in SOMETIMES[part]]
    yield ["curve", *axes, "n", *(_title(column, unit, axis) for column in ALWAYS), *further]
    arrays = curve_arrays(result)
    sigma = arrays["sigma"]
    positions = [sigma] if axis == Axis.SIGMA else [sigma, place(sigma, axis)]
    for key, curve in curves.items():
        values = [(column, arrays[f"{key}:{column.name}"]) for column in ALWAYS]
        values += [pair for part in parts for pair in _part(curve, part, len(sigma))]
        columns = [in_unit(array, c.quantity, sigma, unit, axis) for c, array in values]
        for row in range(len(sigma)):
            numbers = [_text(column[row]) for column in columns]
            yield [key, *(_text(at[row]) for at in positions), curve["n"], *numbers]


def _title(column: Column, unit: Unit, axis: Axis) -> str:
    """Return the heading of a column: its name and its unit; a probability has none."""
    if column.quantity.unit != BITS:
        return column.name
    return f"{column.name}_{unit}" + (f"_per_{PER[axis]}" if column.quantity.is_rate else "")


def _part(curve: Mapping[str, Any], part: str, steps: int) -> Sequence[tuple[Column, Array]]:
    """Return the columns of a part of a curve; empty ones where this curve has none."""
    values = curve.get(part) or {column.name: [None] * steps for column in SOMETIMES[part]}
    return [(c, np.array(values[c.name], dtype=np.float64)) for c in SOMETIMES[part]]


def _text(value: float) -> str:
    """Return a number so that reading it gives the same one; empty where there is none."""
    return repr(float(value)) if np.isfinite(value) else ""
