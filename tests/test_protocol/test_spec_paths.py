"""Guidance and pruning in a spec: what is refused before anything is sampled."""

from typing import Any

import pytest
from pydantic import ValidationError

from entroscope.measurement.plan.plan import Plan, spec_hash
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import DataInfo, ModelInfo
from entroscope.protocol.spec import Spec

INFO = ModelInfo(
    name="toy", family="toy", title="Toy", labels=("a", "b", "c"), shape=(2,), unconditional=True
)


def resolved(**fields: Any) -> Spec:
    return resolve(Spec.model_validate({"model": "toy", **fields}), INFO).spec


@pytest.mark.parametrize(
    ("guidance", "says"),
    [
        ({"scale": float("inf")}, "finite"),
        ({"scale": -1}, "greater than or equal to 0"),
        ({"scale": 2, "interval": [5, 0.4]}, "the interval must rise, got 5 to 0.4"),
        ({"scale": 0.5, "method": "feedback"}, "feedback needs 1 <= scale <= max_scale"),
        ({"scale": 2, "method": "other"}, "'cfg' or 'feedback'"),
    ],
)
def test_guidance_that_makes_no_sense_is_refused(guidance: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        resolved(guidance=guidance)


def test_an_interval_outside_the_grid_is_refused_with_the_grid() -> None:
    with pytest.raises(SpecError, match=r"they go from 0\.02 to 80") as caught:
        resolved(guidance={"scale": 2, "interval": [100, 200]})
    assert caught.value.field == "guidance.interval"


def test_a_model_without_an_unconditional_branch_is_not_guided() -> None:
    spec = Spec.model_validate({"model": "toy", "guidance": {"scale": 2}})
    with pytest.raises(SpecError, match="no unconditional branch"):
        resolve(spec, INFO.model_copy(update={"unconditional": False}))


def test_a_threshold_that_would_prune_at_the_start_is_refused() -> None:
    with pytest.raises(SpecError, match=r"must be below the prior .* 'b' has 0\.0099"):
        resolved(prune_below=0.01, prior={"a": 1.0, "b": 0.02, "c": 1.0})


def test_guided_paths_are_pruned_only_where_the_posterior_is_that_of_the_paths() -> None:
    with pytest.raises(SpecError, match="no martingale"):
        resolved(prune_below=0.01, guidance={"scale": 2})
    resolved(prune_below=0.01, guidance={"scale": 2, "decoder": "guided"})


def test_guidance_costs_one_evaluation_more_a_sample_and_level() -> None:
    plain, guided = resolved(), resolved(guidance={"scale": 2})
    assert 3 * Plan(guided, INFO).evaluations == 4 * Plan(plain, INFO).evaluations


DATA = DataInfo(examples=5, per_label=(3, 2, 0), checksum="aa", part="t10k")
WITH_DATA = INFO.model_copy(update={"data": DATA})


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"guidance": {"scale": 2}}, "guidance", "data paths are not guided"),
        ({"prune_below": 0.01}, "prune_below", "must be 0 on data paths"),
        ({}, "partitions", "no example of 'c'"),
    ],
)
def test_what_makes_no_sense_on_data_paths_is_refused(
    fields: dict[str, Any], field: str, says: str
) -> None:
    spec = Spec.model_validate({"model": "toy", "paths_from": "data", **fields})
    with pytest.raises(SpecError, match=says) as caught:
        resolve(spec, WITH_DATA)
    assert caught.value.field == field


def test_a_model_without_data_has_no_data_paths() -> None:
    with pytest.raises(SpecError, match="'toy' was given no labelled data") as caught:
        resolved(paths_from="data")
    assert caught.value.field == "paths_from"


def test_data_belong_to_the_identity_of_a_run_on_them_and_of_no_other() -> None:
    pair = [{"name": "a", "labels": ["a"]}, {"name": "b", "labels": ["b"]}]
    fields = {"model": "toy", "partitions": {"pair": pair}}
    other = DATA.model_copy(update={"checksum": "bb"})
    for paths, same in (("data", False), ("model", True)):
        spec = resolve(Spec.model_validate({**fields, "paths_from": paths}), WITH_DATA).spec
        assert (spec_hash(spec, None, DATA) == spec_hash(spec, None, other)) is same
