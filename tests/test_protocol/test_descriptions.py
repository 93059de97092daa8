"""Every setting says what it is: the page's form and the handbook are made of these texts."""

from collections.abc import Iterator
from typing import Any

import pytest

from entroscope.measurement.mixtures.params import mixture_schema
from entroscope.measurement.params.prompts import prompts_schema
from entroscope.measurement.plan.sweep import Sweep
from entroscope.protocol.spec import Spec

SCHEMAS = {
    "spec": Spec.model_json_schema(),
    "sweep": Sweep.model_json_schema(),
    "mixture": mixture_schema(),
    "prompts": prompts_schema(),
}


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a schema and of its definitions."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from fields(item, f"{path}/{index}")
    elif isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            yield f"{path}/{name}", field
        for name, value in schema.items():
            yield from fields(value, f"{path}/{name}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_in_one_to_four_sentences(name: str) -> None:
    found = dict(fields(SCHEMAS[name]))
    assert found
    for path, field in found.items():
        text = field.get("description", "")
        assert 4 <= len(text.split()) <= 75 and text.endswith("."), f"{name}{path}: {text!r}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_noise_levels_and_lengths_are_told_with_their_unit(name: str) -> None:
    lengths = {"sigma", "sigmas", "sigma_min", "sigma_max", "interval", "std", "means", "offset"}
    for path, field in fields(SCHEMAS[name]):
        if path.rpartition("/")[2] in lengths | {"offsets", "spread"}:
            assert "units of the data" in field["description"], path


def test_every_field_that_may_be_left_out_has_its_default_in_the_schema() -> None:
    for path, field in fields(SCHEMAS["spec"]):
        required = {"model", "name", "each", "scale", "first", "largest", "sigma"}
        assert "default" in field or path.rpartition("/")[2] in required, path
