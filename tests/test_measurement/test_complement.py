"""Pairs in a spec: what is filled in, what it costs, what is refused before a sample is drawn."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.plan.complement import saturated_entropy
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import QUANTITIES
from entroscope.protocol.spec import Spec
from entroscope.runs.limits import record_bytes

INFO = ModelInfo(
    name="toy",
    family="toy",
    title="Toy",
    labels=("a", "b", "c"),
    prior=(0.5, 0.3, 0.2),
    shape=(2,),
    unconditional=True,
)
PAIRS: dict[str, Any] = {"partitions": {"rest": "each-vs-rest"}, "complement": "unconditional"}


def resolved(info: ModelInfo = INFO, **fields: Any) -> Spec:
    return resolve(Spec.model_validate({"model": "toy", **fields}), info).spec


def test_paths_of_the_complement_are_moved_by_what_they_are_scored_with_unless_told() -> None:
    for complement in ("rebuilt", "unconditional"):
        assert resolved(**PAIRS | {"complement": complement}).complement_paths == complement
    assert resolved(**PAIRS, complement_paths="random-class").complement_paths == "random-class"
    assert resolved().complement_paths is None


def test_a_pair_has_the_prior_one_half_a_given_one_or_that_of_its_class() -> None:
    for wanted, priors in ((None, [0.5] * 3), (0.2, [0.2] * 3), ("prior", [0.5, 0.3, 0.2])):
        plan = Plan(resolved(**PAIRS, pair_prior=wanted), INFO)
        np.testing.assert_allclose(plan.complement_priors, priors)


def test_pairs_cost_two_evaluations_a_sample_and_level_and_random_classes_a_third() -> None:
    alone: dict[str, Any] = {"companions": 0}
    plain = Plan(resolved(partitions={"rest": "each-vs-rest"}, **alone), INFO).evaluations
    two, three = (
        Plan(resolved(**PAIRS, **alone, complement_paths=paths), INFO).evaluations
        for paths in ("rebuilt", "random-class")
    )
    assert (3 * two, three) == (2 * plain, plain)


def test_what_saturation_leaves_vanishes_as_the_class_becomes_rare() -> None:
    left = [saturated_entropy(0.5, own, stays=True) for own in (0.5, 0.1, 0.01, 0.001)]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(0.75 * 0.9182958)
    assert left[-1] < 0.01


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"partitions": {"classes": None}}, "partitions.classes", "must be 'each-vs-rest'"),
        ({"prior": "uniform"}, "prior", "must be 'model'"),
        ({"guidance": {"scale": 2}}, "guidance", "use 'classes'"),
        ({"prune_below": 0.01}, "prune_below", "must be 0"),
        ({"trajectories": 5}, "trajectories", "must be at least 6, 2 for each of 3 classes"),
        ({"complement": "classes", "pair_prior": 0.2}, "pair_prior", "'rebuilt' or"),
        (
            {"complement": "classes", "complement_paths": "rebuilt"},
            "complement_paths",
            "'rebuilt' or",
        ),
    ],
)
def test_what_does_not_go_with_pairs_is_refused_by_name(
    fields: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(SpecError, match=says) as caught:
        resolved(**PAIRS | fields)
    assert caught.value.field == field


def test_a_model_without_an_unconditional_branch_has_no_such_pairs() -> None:
    with pytest.raises(SpecError, match="no unconditional branch") as caught:
        resolved(INFO.model_copy(update={"unconditional": False}), **PAIRS)
    assert (caught.value.field, caught.value.value) == ("complement", "unconditional")


@pytest.mark.parametrize(
    "fields", [{"pair_prior": 0.0}, {"pair_prior": 1.0}, {"complement": "others"}]
)
def test_priors_and_complements_that_do_not_exist_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        resolved(**PAIRS | fields)


THOUSAND = INFO.model_copy(update={"labels": tuple(map(str, range(1000))), "prior": None})


def thousand(**fields: Any) -> Plan:
    return Plan(resolved(THOUSAND, schedule={"steps": 64}, **PAIRS | fields), THOUSAND)


def test_chosen_classes_are_each_set_against_all_others() -> None:
    plan = Plan(resolved(**PAIRS | {"partitions": {"some": {"each": ["c", 0]}}}), INFO)
    assert [(curve.key, curve.groups) for curve in plan.curves] == [
        ("some.a", ((0,), (1, 2))),
        ("some.c", ((2,), (0, 1))),
    ]
    assert plan.complement_classes.tolist() == [0, 2]
    assert Spec.model_validate(plan.spec.document()) == plan.spec


def test_as_many_trajectories_are_needed_as_the_chosen_pairs_take() -> None:
    chosen = {"partitions": {"some": {"each": list(range(50))}}}
    assert thousand(**chosen, trajectories=100).spec.trajectories == 100
    with pytest.raises(SpecError, match="at least 100, 2 for each of 50 classes"):
        thousand(**chosen, trajectories=99)


@pytest.mark.parametrize(
    ("each", "field", "reason"),
    [
        (["a", 0], "partitions.some.each", "'a' is there twice"),
        (["d"], "partitions.some.each", "no label 'd'; the labels are a, b, c"),
    ],
)
def test_a_chosen_class_must_be_a_label_once(each: list[Any], field: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason) as refusal:
        resolved(partitions={"some": {"each": each}})
    assert refusal.value.field == field


def test_a_pair_keeps_the_sums_of_its_two_sides_however_many_labels_there_are() -> None:
    plan = thousand(trajectories=2000)
    assert plan.num_truths == 2
    assert record_bytes(plan) < 32 * 2**20


def test_records_that_told_all_labels_apart_are_read_by_side() -> None:
    plan = Plan(resolved(**PAIRS), INFO)
    curve, labels = plan.curves[1], np.array([1, 3, 1, 3, 3])
    table = np.random.default_rng(0).random((len(QUANTITIES), 4, 5))
    early, own = Moments.of(table, labels, 4), Moments.of(table, (labels != 1) * 1, 2)
    for name in ("n", "profile", "profile_square", "total"):
        read = getattr(early.by_side(curve.groups[0][0]), name)
        np.testing.assert_allclose(read, getattr(own, name))
