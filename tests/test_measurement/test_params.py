"""Params of any family: checked by its schema, filled in, and part of the identity of a run."""

import math
from typing import Any

import pytest

from entroscope.measurement.curves.comparison import check_comparable
from entroscope.measurement.params.prompts import prompts_schema
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "softness": {"type": "number", "minimum": 0, "exclusiveMaximum": 10, "default": 1},
        "layers": {"type": "integer", "maximum": 9, "default": 3},
        "mode": {"enum": ["sharp", "smooth"], "default": "sharp"},
        "weights": {"type": "array", "items": {"type": "number"}, "minItems": 2, "default": [1, 2]},
    },
}
LABELS = ("a", "b", "c")
OWN = ModelInfo(
    name="my-model", family="own", title="t", shape=(2,), labels=LABELS, params_schema=SCHEMA
)
MIXTURE = ModelInfo(name="gm", family="gm", title="t", shape=(1,), params_kind="mixture")


def plan(info: ModelInfo = OWN, **fields: Any) -> Plan:
    return resolve(Spec.model_validate({"model": info.name, **fields}), info)


def test_what_is_left_out_of_params_is_filled_in_and_echoed() -> None:
    made = plan(params={"layers": 2})
    expected = {"softness": 1.0, "layers": 2, "mode": "sharp", "weights": [1, 2]}
    assert made.spec.params == made.bound.params == expected
    assert made.labels == LABELS and made.bound.cost() == 1


@pytest.mark.parametrize(
    ("params", "field", "reason"),
    [
        ({"softness": -1}, "params.softness", "must be >= 0"),
        ({"softness": 10}, "params.softness", "must be < 10"),
        ({"softness": "much"}, "params.softness", "must be a number"),
        ({"softness": math.nan}, "params", "must be JSON of finite numbers"),
        ({"layers": 2.5}, "params.layers", "must be a whole number"),
        ({"layers": True}, "params.layers", "must be a whole number"),
        ({"mode": "smoth"}, "params.mode", "must be 'sharp' or 'smooth' (did you mean 'smooth'?)"),
        ({"weights": [1, "x"]}, "params.weights.1", "must be a number"),
        ({"weights": [1]}, "params.weights", "must have 2 items or more"),
        ({"softnes": 1}, "params.softnes", "is unknown (did you mean 'softness'?)"),
        ({"colour": 1}, "params.colour", "there are layers, mode, softness, weights"),
    ],
)
def test_a_bad_parameter_is_refused_with_field_and_bound(
    params: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(SpecError) as refused:
        plan(params=params)
    assert refused.value.field == field and reason in refused.value.reason


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "colour"}, "announces a params_schema that is none"),
        ({"properties": {"x": {"$ref": "http://127.0.0.1:9/x"}}}, "params_schema that is none"),
        ({"properties": {"x": {"type": "number"}}, "required": ["x"]}, "gives it no default"),
    ],
)
def test_a_schema_that_cannot_check_its_defaults_is_refused(
    schema: dict[str, Any], reason: str
) -> None:
    info = OWN.model_copy(update={"params_schema": schema})
    with pytest.raises(SpecError, match=reason):
        bind_params(info, {"x": 1} if "required" not in schema else {})


@pytest.mark.parametrize(
    ("info", "equal"),
    [
        (OWN, [{}, {"softness": 1}, {"softness": 1.0, "layers": 3.0, "mode": "sharp"}]),
        (MIXTURE, [{}, {"kind": "points"}, {"std": 0.5}, {"means": [[-8], [-4.0], [6], [8]]}]),
        (MIXTURE, [{"kind": "pair"}, {"kind": "pair", "dimension": 64, "offset": 1}]),
        (MIXTURE, [{"kind": "random", "seed": 0}, {"kind": "random", "components": 1000}]),
    ],
)
def test_equal_settings_have_equal_hashes(info: ModelInfo, equal: list[dict[str, Any]]) -> None:
    assert len({plan(info, params=params).hash for params in equal}) == 1
    assert plan(info, params=equal[0]).hash != plan(info, params=equal[0], seed=1).hash


def test_another_value_of_a_parameter_is_another_run() -> None:
    assert plan(params={"softness": 2}).hash != plan().hash
    assert plan(MIXTURE, params={"std": 0.6}).hash != plan(MIXTURE).hash


def test_a_label_by_name_and_by_index_is_the_same_run() -> None:
    by_name, by_index = (
        plan(partitions={"p": [{"name": "x", "labels": one}, {"name": "y", "labels": two}]})
        for one, two in ((["a"], ["b", "c"]), ([0], [1, "c"]))
    )
    assert by_name.hash == by_index.hash


def test_a_run_made_before_params_were_filled_in_grows_into_one_that_is_found() -> None:
    filled = plan(MIXTURE)
    before = filled.spec.model_copy(update={"params": {}})
    assert Plan(before, MIXTURE).hash == filled.hash
    check_comparable(filled, Plan(before, MIXTURE))


def test_params_of_a_resolved_spec_resolve_to_themselves() -> None:
    for made in (plan(params={"layers": 2}), plan(MIXTURE, params={"kind": "tree"})):
        again = resolve(Spec.model_validate(made.spec.document()), made.info)
        assert again.spec == made.spec and again.hash == made.hash


def test_models_announced_before_params_had_kinds_are_read_as_they_were() -> None:
    document = {"name": "m", "family": "gaussian-mixture", "title": "t", "shape": [1]}
    assert ModelInfo.model_validate(document).params_kind == "mixture"
    words = document | {"family": "f", "label_kind": "prompts", "params_schema": prompts_schema()}
    assert ModelInfo.model_validate(words).params_kind == "prompts"
    assert ModelInfo.model_validate(document | {"family": "other"}).params_kind is None


def test_a_kind_of_a_later_version_is_checked_by_its_schema_alone() -> None:
    later = OWN.model_copy(update={"params_kind": "not-known-yet"})
    assert plan(later, params={"layers": 1}).labels == LABELS


def test_a_mixture_under_any_name_has_exact_curves_and_a_price() -> None:
    bound = bind_params(MIXTURE, {"kind": "pair", "dimension": 10_000})
    assert bound.cost() > 50
    ((entropy, *_),) = [
        curve["entropy"]
        for curve in bound.exact((0, 1), (0.5, 0.5), (((0,), (1,)),), (1e5, 1))
        if curve
    ]
    assert entropy == pytest.approx(1, abs=1e-3)
