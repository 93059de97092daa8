"""Records are folded and checked outside the transaction that stores them."""

from typing import Any

import pytest
from fakes import fake_plan, record_of
from redis import Redis
from redis.client import Pipeline

from entroscope.broker.completion import Completion
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import run_key, sums_key
from entroscope.broker.rows import Row
from entroscope.broker.run_store import RunStore
from entroscope.broker.transactions import guarded
from entroscope.measurement.curves import fold
from entroscope.measurement.curves.fold import Fold
from entroscope.protocol.states import State


@pytest.fixture
def run(redis: Redis) -> Row:
    """A run of three batches that is under way and has its first batch."""
    run = RunStore(redis).create(fake_plan(3))
    redis.hset(run_key(run.id), "state", State.RUNNING.value)
    assert stored(redis, run, prepared(redis, run, 0))
    return run


def prepared(redis: Redis, run: Row, batch: int) -> Completion:
    completion = Completion(redis, run.id, batch, run.plan, record_of(run.plan, batch))
    completion.prepare()
    return completion


def stored(redis: Redis, run: Row, completion: Completion) -> bool:
    return guarded(redis, completion.write, run_key(run.id), sums_key(run.id))


def types(redis: Redis, run: Row) -> list[str]:
    return [entry.type for entry in EventLog(redis).read(run.id)]


def test_of_two_last_batches_the_one_stored_later_ends_the_run(redis: Redis, run: Row) -> None:
    one, other = prepared(redis, run, 1), prepared(redis, run, 2)
    assert stored(redis, run, one)
    assert not stored(redis, run, other)
    assert types(redis, run) == ["queued", "batch", "batch"]
    other.prepare()
    assert stored(redis, run, other)
    assert types(redis, run)[2:] == ["batch", "batch", "checks", "done"]


def test_an_end_that_was_worked_out_is_not_written_to_a_run_that_was_cancelled(
    redis: Redis, run: Row
) -> None:
    assert stored(redis, run, prepared(redis, run, 1))
    last = prepared(redis, run, 2)
    RunStore(redis).cancel(run.id)
    assert stored(redis, run, last)
    assert types(redis, run)[-2:] == ["batch", "cancelled"]
    assert RunStore(redis).measured_batches(run.id) == {0, 1}


def test_a_batch_that_is_stored_twice_counts_once(redis: Redis, run: Row) -> None:
    assert stored(redis, run, prepared(redis, run, 1))
    assert stored(redis, run, prepared(redis, run, 1))
    assert types(redis, run) == ["queued", "batch", "batch"]


def test_checks_are_computed_once_and_before_the_transaction(
    redis: Redis, run: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored(redis, run, prepared(redis, run, 1))
    computed = []

    def counted(*arguments: Any) -> list[dict[str, Any]]:
        computed.append(arguments)
        return []

    monkeypatch.setattr(fold, "run_checks", counted)
    last = prepared(redis, run, 2)
    assert len(computed) == 1
    assert stored(redis, run, last)
    assert len(computed) == 1


def test_a_change_between_look_and_write_leaves_the_end_to_be_worked_out_anew(
    redis: Redis, run: Row
) -> None:
    last = prepared(redis, run, 2)

    def write(pipe: Pipeline) -> bool:
        if RunStore(redis).measured_batches(run.id) == {0}:
            assert stored(redis, run, prepared(redis, run, 1))
        return last.write(pipe)

    assert not guarded(redis, write, run_key(run.id), sums_key(run.id))
    last.prepare()
    assert guarded(redis, write, run_key(run.id), sums_key(run.id))
    assert types(redis, run)[-1] == "done"


def test_a_run_that_needs_no_end_yet_is_not_folded(
    redis: Redis, run: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fold, "__init__", None)
    assert stored(redis, run, prepared(redis, run, 1))
