"""Merge patches, and where in a sweep an error is."""

from typing import Any

import pytest
from fakes import INFO

from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.measurement.plan.sweep import Sweep, default_title, merge_patch, sweep_plans
from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Spec

#: The examples of RFC 7396, appendix A.
EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("document", "patch", "wanted"), EXAMPLES)
def test_a_merge_patch_does_what_its_standard_says(document: Any, patch: Any, wanted: Any) -> None:
    assert merge_patch(document, patch) == wanted


def plans(*vary: Any, limit: int = 10**9, **spec: Any) -> list[Plan]:
    def check(own: Spec) -> Plan:
        return resolve(own, INFO)

    document = {"spec": {"model": "fake"} | spec, "vary": list(vary)}
    return sweep_plans(Sweep.model_validate(document), check, limit)


def error_of(*vary: Any, **options: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        plans(*vary, **options)
    return caught.value


def test_every_patch_makes_a_run_of_what_is_shared_and_what_it_changes() -> None:
    made = plans({"seed": 1}, {"seed": 2, "schedule": {"steps": 8}}, schedule={"sigma_max": 9.0})
    assert [plan.spec.seed for plan in made] == [1, 2]
    assert [len(plan.sigmas) for plan in made] == [32, 8]
    assert {plan.sigmas[0] for plan in made} == {9.0}


@pytest.mark.parametrize(
    ("vary", "spec", "field", "value"),
    [
        ([{}, {"seed": -1}], {}, "vary.1.seed", -1),
        ([{}, {}, {"schedule": {"steps": 1}}], {}, "vary.2.schedule.steps", 1),
        ([{"params": {"x": 1}}], {}, "vary.0.params", {"x": 1}),
        ([{"seed": 1}], {"schedule": {"rho": 0}}, "spec.schedule.rho", 0),
        ([{}, {"schedule": {"sigma_max": 0.01}}], {}, "vary.1.schedule.sigma_max", 0.01),
        ([{}, {"schedule": 3}], {}, "vary.1.schedule", 3),
        ([{}, {"model": None}], {}, "vary.1.model", None),
        ([{}, {"partitions": {"a": [{"name": "x", "labels": ["q"]}, {"name": "y", "labels": ["b"]}
                                    ]}}], {}, "vary.1.partitions.a.0.labels", "q"),
    ],
)  # fmt: skip
def test_an_error_names_its_place_in_the_sweep_and_the_value(
    vary: list[Any], spec: dict[str, Any], field: str, value: Any
) -> None:
    error = error_of(*vary, **spec)
    assert (error.field, error.value) == (field, value)


def test_runs_that_together_are_too_much_are_refused_with_the_limit() -> None:
    one = plans({})[0].evaluations
    assert len(plans({}, {}, {}, limit=3 * one)) == 3
    error = error_of({}, {}, {}, {}, limit=3 * one)
    assert error.field == "vary"
    assert f"{4 * one:,}" in error.reason and f"{3 * one:,}" in error.reason


def test_a_sweep_without_a_title_is_called_by_its_model_and_size() -> None:
    assert default_title(plans({}, {})) == "Fake, 2 runs"
    assert default_title(plans({})) == "Fake, 1 run"
