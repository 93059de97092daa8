"""What studies a run may be asked for: resolved, priced, and refused with a reason."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes import fake_plan, record_of
from pydantic import ValidationError

from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import decode_sums
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec

INFO = ModelInfo(name="m", family="m", title="M", labels=("a", "b", "c"), shape=(1,))
FREE = INFO.model_copy(update={"unconditional": True})


def resolved(info: ModelInfo = INFO, **fields: Any) -> Spec:
    spec = {"model": "m", "trajectories": 40, "schedule": {"steps": 6}, **fields}
    return resolve(Spec.model_validate(spec), info).spec


def sigmas() -> list[float]:
    return [float(sigma) for sigma in Plan(resolved(), INFO).sigmas]


def test_a_noise_level_is_named_by_four_digits_and_resolved_to_the_level_itself() -> None:
    named = float(f"{sigmas()[2]:.4g}")
    branching = resolved(studies={"branching": {"sigma": named}}).studies.branching
    assert branching is not None
    assert (branching.sigma, branching.trajectories) == (sigmas()[2], 16)


def test_levels_of_a_switch_are_spread_over_the_steps_that_leave_something_to_sample() -> None:
    switch = resolved(studies={"switch": {"levels": 3}}).studies.switch
    assert switch is not None
    assert switch.sigmas == [sigmas()[0], sigmas()[2], sigmas()[4]]
    assert switch.trajectories == 40  # 64, but for the run's 40


def test_a_resolved_spec_resolves_to_itself() -> None:
    studies = {"branching": {"sigma": sigmas()[1]}, "switch": {}}
    once = resolved(studies=studies)
    assert resolve(once, INFO).spec == once


def test_studies_are_part_of_the_price() -> None:
    studies: dict[str, Any] = {
        "branching": {"sigma": sigmas()[2], "trajectories": 4, "repeats": 8},
        "switch": {"sigmas": [sigmas()[0], sigmas()[3]], "trajectories": 5},
    }
    plan = Plan(resolved(studies=studies, companions=0), INFO)
    assert plan.study_evaluations == 4 * 8 * 3 * 3 + 5 * 2 * (5 + 2)
    assert plan.evaluations == 40 * 6 * 3 + plan.study_evaluations
    studies["branching"]["moved_by"] = "unconditional"
    free = Plan(resolved(FREE, studies=studies), FREE)
    assert free.study_evaluations - plan.study_evaluations == 4 * 8 * 3


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"studies": {"branching": {"sigma": 3.0}}}, "branching.sigma", "the nearest are"),
        ({"studies": {"branching": {"sigma": 0.02}}}, "branching.sigma", "nothing is left"),
        ({"studies": {"switch": {"sigmas": [80, 79]}}}, "switch.sigmas.1", "no noise level 79"),
        ({"studies": {"switch": {"trajectories": 41}}}, "switch.trajectories", "only 40"),
        (
            {"studies": {"branching": {"sigma": 80, "moved_by": "unconditional"}}},
            "branching.moved_by",
            "no unconditional branch",
        ),
        ({"studies": {"switch": {}}, "prune_below": 0.01}, "switch", "prune_below 0"),
    ],
)
def test_what_cannot_be_studied_is_refused(fields: Any, field: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason) as refused:
        resolved(**fields)
    assert refused.value.field == f"studies.{field}"


def test_a_guided_run_is_not_branched() -> None:
    studies = {"branching": {"sigma": 80}}
    with pytest.raises(SpecError, match="without guidance"):
        resolved(FREE, studies=studies, guidance={"scale": 2})


@pytest.mark.parametrize(
    "studies",
    [
        {"branching": {}},
        {"branching": {"sigma": -1}},
        {"branching": {"sigma": 80, "repeats": 1}},
        {"branching": {"sigma": float("nan")}},
        {"switch": {"sigmas": []}},
        {"switch": {"sigmas": [80], "levels": 2}},
        {"swich": {}},
    ],
)
def test_what_is_not_a_study_is_refused(studies: Any) -> None:
    with pytest.raises(ValidationError):
        resolved(studies=studies)


def test_studies_travel_with_the_record_and_end_with_its_batch() -> None:
    plan = fake_plan(batches=3)
    fold = Fold(plan)
    for batch in (1, 0, 2):
        arrays = {"a/rows[]": np.full((1, 2), batch), "a/sum": np.array([1.0, batch])}
        sent = replace(record_of(plan, batch), studies=arrays)
        fold.add_record(*decode_sums(sent.encode()[0]))
    assert fold.studies()["a/rows[]"][:, 0].tolist() == [0, 1, 2]
    assert fold.studies()["a/sum"].tolist() == [3, 3]
    fold.keep(2)
    assert fold.studies()["a/sum"].tolist() == [2, 1]


def test_a_record_of_before_there_were_studies_still_decodes() -> None:
    facts, moments, studies = decode_sums(record_of(fake_plan(), 0).encode()[0])
    assert (facts["batch"], list(moments), studies) == (0, ["classes"], {})
