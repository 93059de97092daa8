"""The fold: order, repetition and provisional points do not change what comes out."""

import random
from typing import Any

import numpy as np
import pytest

from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.moments import Moments, merged
from entroscope.measurement.curves.records import Point, Record, decode_sums
from entroscope.measurement.curves.result import result_document
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.frames import finite
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import ENTROPY, QUANTITIES, SHOWN
from entroscope.protocol.spec import Spec

INFO = ModelInfo(name="m", family="m", title="M", labels=("a", "b", "c"), shape=(1,))


def plan_of(**fields: Any) -> Plan:
    spec = {"model": "m", "trajectories": 100, "schedule": {"steps": 5}, **fields}
    return resolve(Spec.model_validate(spec), INFO)


def record(plan: Plan, batch: int, scale: float = 1.0) -> Record:
    stream = np.random.default_rng(batch)
    first, size = plan.batches[batch]
    labels = stream.integers(0, 3, size)
    shape = (len(QUANTITIES), len(plan.sigmas), size)
    table = scale * stream.random(shape)
    moments = {curve.key: Moments.of(table, labels, 3) for curve in plan.curves}
    values = {curve.key: table[: len(SHOWN)].astype(np.float32) for curve in plan.curves}
    facts = {
        "batch": batch,
        "first": first,
        "trajectories": size,
        "evaluations": size,
        "evaluations_full": size,
        "seconds": 1.0,
    }
    return Record(facts, moments, labels, values)


def folded(plan: Plan, batches: list[int]) -> dict[str, Any]:
    fold = Fold(plan)
    for batch in batches:
        fold.add_record(record(plan, batch).facts, record(plan, batch).moments)
    return result_document(fold)


def test_the_order_and_repetition_of_records_change_nothing() -> None:
    plan = plan_of()
    order = list(range(len(plan.batches)))
    shuffled = [*order, *order]
    random.Random(0).shuffle(shuffled)
    assert folded(plan, shuffled)["curves"] == folded(plan, order)["curves"]


def test_the_first_record_of_a_batch_wins() -> None:
    plan, fold = plan_of(), Fold(plan_of())
    assert fold.add_record(record(plan, 0).facts, record(plan, 0).moments)
    other = record(plan, 0, scale=9)
    assert not fold.add_record(other.facts, other.moments)
    assert fold.curves_at(0)["classes"]["entropy"] < 1


def test_points_of_a_batch_count_until_its_record_comes() -> None:
    plan = plan_of()
    whole = record(plan, 0).moments["classes"]
    at = [np.array([a[:, 2]]) for a in (whole.total, whole.square)]
    point = Point(0, 2, float(plan.sigmas[2]), np.array([whole.count]), *at)
    fold = Fold(plan)
    fold.add_point(point)
    fold.add_point(point)  # a second worker, or the same one again
    provisional = fold.curves_at(2)
    fold.add_record(record(plan, 0).facts, record(plan, 0).moments)
    assert fold.curves_at(2) == provisional
    fold.add_point(point)  # a stale worker, after the record
    assert fold.curves_at(2) == provisional


def test_merging_batches_is_the_same_as_one_batch() -> None:
    stream = np.random.default_rng(1)
    table, labels = stream.random((len(QUANTITIES), 4, 30)), stream.integers(0, 3, 30)
    one = Moments.of(table, labels, 3)
    parts = [Moments.of(table[:, :, s], labels[s], 3) for s in (slice(0, 7), slice(7, 30))]
    both = merged(parts)
    assert both.n.tolist() == one.n.tolist()
    for name in ("entropy", "gap"):
        np.testing.assert_allclose(both.mean(name), one.mean(name), rtol=1e-12)
        np.testing.assert_allclose(both.error(name), one.error(name), rtol=1e-9)


def test_mean_and_error_are_those_of_the_trajectories_that_count() -> None:
    table = np.random.default_rng(2).random((len(QUANTITIES), 4, 30))
    table[:, :, 10:] = np.nan
    moments = Moments.of(table, np.zeros(30, np.int64), 3)
    assert moments.count == 10
    np.testing.assert_allclose(moments.mean("entropy"), table[ENTROPY.row, :, :10].mean(1))
    expected = table[ENTROPY.row, :, :10].std(1, ddof=1) / 10**0.5
    np.testing.assert_allclose(moments.error("entropy"), expected)


def test_a_record_survives_its_frames() -> None:
    plan = plan_of(partitions={"classes": None, "rest": "each-vs-rest"})
    sent = record(plan, 1)
    facts, moments, _ = decode_sums(sent.encode()[0])
    assert facts == sent.facts
    assert list(moments) == list(sent.moments)
    for key, sums in moments.items():
        np.testing.assert_array_equal(sums.total, sent.moments[key].total)
        np.testing.assert_array_equal(sums.n, sent.moments[key].n)


def test_a_run_is_done_with_all_batches_or_the_smallest_prefix_that_is_sure_enough() -> None:
    plan = plan_of()
    fold, early = Fold(plan), Fold(plan_of(target_se_bits=0.05))
    last = len(plan.batches) - 1
    for batch in range(last + 1):
        assert fold.final_batches() is None
        for each in (fold, early):
            each.add_record(record(plan, batch).facts, record(plan, batch).moments)
    assert fold.final_batches() == last + 1
    stop = early.final_batches()
    assert stop is not None and stop <= last
    errors = [
        merged(early.moments[b]["classes"] for b in range(n)).error("entropy").max()
        for n in (stop - 1, stop)
    ]
    assert errors[0] > 0.05 >= errors[1]


def test_a_later_batch_alone_does_not_end_a_run_early() -> None:
    plan = plan_of(target_se_bits=0.5)
    fold = Fold(plan)
    fold.add_record(record(plan, 1).facts, record(plan, 1).moments)
    assert fold.final_batches() is None


@pytest.mark.parametrize("missing", [0, 1])
def test_a_curve_with_too_few_trajectories_has_no_error_rather_than_a_wrong_one(
    missing: int,
) -> None:
    table = np.random.default_rng(2).random((len(QUANTITIES), 4, 30))
    table[:, :, missing:] = np.nan
    moments = Moments.of(table, np.zeros(30, np.int64), 3)
    assert np.isnan(moments.error("entropy")).all()


def test_checks_are_computed_once_for_the_batches_that_are_finished() -> None:
    plan = plan_of()
    fold = Fold(plan)
    first, second = record(plan, 0), record(plan, 1)
    fold.add_record(first.facts, first.moments)
    checks = fold.checks()
    assert result_document(fold)["checks"] == finite(checks)
    assert fold.checks() is checks
    fold.add_record(second.facts, second.moments)
    assert fold.checks() != checks
    fold.keep(1)
    assert fold.checks() == checks
