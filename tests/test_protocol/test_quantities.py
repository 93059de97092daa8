"""The table of quantities: its rows, and what follows from it."""

from typing import Any

import pytest
from pydantic import BaseModel

from entroscope.api.schemas import CurveDifference
from entroscope.protocol.events import Calibration, Curve, CurvePoint, Pruning
from entroscope.protocol.quantities import (
    BITS,
    BY_NAME,
    CALIBRATED,
    COLUMNS,
    PRUNING,
    QUANTITIES,
    SHOWN,
    Column,
    Quantity,
    mean_and_error,
    with_columns,
)

#: Rows of the sums of every record that was ever written.
PUBLISHED = (
    "entropy",
    "cross_entropy",
    "production",
    "varentropy",
    "dropped",
    "chain",
    "chain_variance",
    "gap",
    "missed",
    "rise",
)


def test_the_rows_of_published_sums_never_move() -> None:
    assert tuple(quantity.name for quantity in QUANTITIES)[: len(PUBLISHED)] == PUBLISHED
    assert [quantity.row for quantity in QUANTITIES] == list(range(len(QUANTITIES)))
    assert len(BY_NAME) == len(QUANTITIES)


def test_what_a_record_keeps_of_a_trajectory_has_the_rows_of_the_sums() -> None:
    assert QUANTITIES[: len(SHOWN)] == SHOWN


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (CurvePoint, mean_and_error(SHOWN)),
        (CurveDifference, mean_and_error(SHOWN)),
        (Curve, COLUMNS),
        (Calibration, mean_and_error(CALIBRATED)),
        (Pruning, PRUNING),
    ],
)
def test_every_column_is_described_with_its_unit_in_the_schema(
    model: type[BaseModel], columns: tuple[Column, ...]
) -> None:
    properties = model.model_json_schema()["properties"]
    names = [name for name in properties if name in {column.name for column in columns}]
    assert names == [column.name for column in columns]
    for column in columns:
        assert f"({column.quantity.unit_in_words})" in properties[column.name]["description"]


def test_a_column_that_older_results_lack_may_be_absent() -> None:
    required = set(Curve.model_json_schema()["required"])
    assert {column.name for column in COLUMNS if column.plain is None} <= required
    assert not required & {column.name for column in COLUMNS if column.plain is not None}


def test_a_new_quantity_is_a_new_field_in_its_turn() -> None:
    class Plain(BaseModel):
        """A curve."""

        n: int
        title: str = ""

    entropy = Quantity("entropy", row=0, unit=BITS, title="entropy")
    columns = mean_and_error([entropy])
    extended = with_columns(columns, list[float], after="n")(Plain)
    schema: dict[str, Any] = extended.model_json_schema()
    assert (schema["title"], schema["description"]) == ("Plain", "A curve.")
    assert list(schema["properties"]) == ["n", "entropy", "entropy_se", "title"]
    assert schema["required"] == ["n", "entropy", "entropy_se"]
