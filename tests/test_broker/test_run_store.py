"""Runs are made, listed, cancelled and forgotten."""

from typing import Any

import pytest
from fakes import INFO, fake_plan, fake_spec, record_of
from redis import Redis

from entroscope.broker.batch_queue import BatchQueue, Lease
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import CONTROL, queue_key
from entroscope.broker.run_store import RunStore
from entroscope.protocol.errors import NotFound
from entroscope.protocol.states import State


@pytest.fixture
def store(redis: Redis) -> RunStore:
    return RunStore(redis)


@pytest.fixture
def queue(redis: Redis) -> BatchQueue:
    return BatchQueue(redis)


def last_event(redis: Redis, run: str) -> tuple[str, dict[str, Any]]:
    entry = EventLog(redis).read(run)[-1]
    return entry.type, entry.document


def finish_one(queue: BatchQueue) -> None:
    taken = queue.take("w", ["fake"], 10)
    assert taken is not None
    queue.complete(taken, record_of(taken.plan, taken.batch))


def test_a_run_is_read_as_it_was_made(store: RunStore) -> None:
    made = store.create(fake_plan(2), parent="p")
    row = store.get(made.id)
    assert row == made
    assert (row.spec, row.info, row.state, row.parent) == (fake_spec(2), INFO, State.QUEUED, "p")
    assert (row.started_ms, row.finished_ms, row.reason, row.extends) == (None, None, None, None)
    assert len(row.plan.batches) == 2


def test_unknown_runs_are_not_found(store: RunStore) -> None:
    for ask in (store.get, store.cancel):
        with pytest.raises(NotFound, match="no run 'nobody'"):
            ask("nobody")


def test_runs_are_listed_newest_first(store: RunStore) -> None:
    made = [store.create(fake_plan(1)).id for _ in range(5)]
    assert [row.id for row in store.list()] == made[::-1]


def test_positions_count_unfinished_runs_of_the_same_model(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    other = INFO.model_copy(update={"name": "other"})
    first, second, third = (store.create(fake_plan(2)).id for _ in range(3))
    alone = store.create(fake_plan(2, info=other)).id
    assert store.positions() == {first: 0, second: 1, third: 2, alone: 0}
    assert last_event(redis, third) == ("queued", {"position": 2})
    finish_one(queue)
    store.cancel(second)
    assert [queue.position(run) for run in (first, second, third)] == [0, 0, 1]


def test_a_queued_run_is_removed(redis: Redis, store: RunStore, queue: BatchQueue) -> None:
    run = store.create(fake_plan(2)).id
    receipt = {"state": "cancelled", "effect": "removed", "batch": None, "step": None}
    assert store.cancel(run) == receipt
    assert last_event(redis, run) == ("cancelled", {"batch": None, "step": None})
    assert redis.xlen(queue_key("fake")) == 0
    assert queue.take("w", ["fake"], 10) is None


def test_a_running_run_is_stopped_by_its_worker(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    run = store.create(fake_plan(2)).id
    taken = queue.take("w", ["fake"], 10)
    assert taken is not None
    client: Any = redis
    with client.pubsub(ignore_subscribe_messages=True) as control:
        control.subscribe(CONTROL)
        control.get_message(timeout=5)
        receipt = {"state": "running", "effect": "stopping", "batch": 0, "step": None}
        assert store.cancel(run) == receipt
        message = control.get_message(timeout=5)
    assert message is not None and run.encode() in message["data"]
    assert queue.renew(taken) is Lease.CANCELLED
    queue.cancelled(taken, 2)
    assert last_event(redis, run) == ("cancelled", {"batch": 0, "step": 2})
    assert store.get(run).state == State.CANCELLED


def test_a_run_between_two_batches_is_stopped_at_once(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    run = store.create(fake_plan(2)).id
    finish_one(queue)
    assert store.cancel(run)["effect"] == "stopped"
    assert last_event(redis, run) == ("cancelled", {"batch": None, "step": None})
    assert redis.xlen(queue_key("fake")) == 0


def test_a_cancelled_run_whose_worker_died_ends_when_its_batch_is_taken_over(
    redis: Redis, store: RunStore
) -> None:
    impatient = BatchQueue(redis, lease_ms=0)
    run = store.create(fake_plan(2)).id
    assert impatient.take("dead", ["fake"], 10) is not None
    assert store.cancel(run)["effect"] == "stopping"
    assert impatient.take("w", ["fake"], 10) is None
    assert last_event(redis, run) == ("cancelled", {"batch": 0, "step": None})


def test_a_run_whose_worker_is_long_dead_is_stopped_at_once(
    redis: Redis, queue: BatchQueue
) -> None:
    store = RunStore(redis, lease_ms=0)
    run = store.create(fake_plan(2)).id
    queue.take("dead", ["fake"], 10)
    assert store.cancel(run)["effect"] == "stopped"


def test_a_finished_run_cannot_be_cancelled(store: RunStore, queue: BatchQueue) -> None:
    run = store.create(fake_plan(1)).id
    finish_one(queue)
    receipt = {"state": "done", "effect": "finished", "batch": None, "step": None}
    assert store.cancel(run) == receipt


def test_an_extension_computes_only_what_is_new(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    old = store.create(fake_plan(2)).id
    finish_one(queue)
    finish_one(queue)
    reuse = {b: (store.sums(old)[b], store.values(old)[b]) for b in (0, 1)}
    new = store.create(fake_plan(4), extends=old, reuse=reuse)
    assert new.extends == old
    assert [entry.type for entry in EventLog(redis).read(new.id)] == ["queued", "batch", "batch"]
    begun = []
    while (taken := queue.take("w", ["fake"], 10)) is not None:
        begun.append(taken.batch)
        queue.complete(taken, record_of(taken.plan, taken.batch))
    assert begun == [2, 3]
    assert last_event(redis, new.id) == ("done", {"batches": 4, "trajectories": 28})


def test_reused_batches_in_the_middle_are_skipped(store: RunStore, queue: BatchQueue) -> None:
    plan = fake_plan(4)
    new = store.create(plan)
    store.cancel(new.id)
    reuse = {b: record_of(new.plan, b).encode() for b in (1, 2)}
    run = store.create(plan, reuse=reuse).id
    finish_one(queue)
    finish_one(queue)
    assert store.get(run).state == State.DONE


def test_a_run_that_reuses_everything_is_done_at_once(redis: Redis, store: RunStore) -> None:
    plan = store.create(fake_plan(1)).plan
    run = store.create(fake_plan(1), reuse={0: record_of(plan, 0).encode()})
    assert run.state == State.DONE
    assert last_event(redis, run.id) == ("done", {"batches": 1, "trajectories": 4})


def test_a_forgotten_run_is_gone(redis: Redis, store: RunStore) -> None:
    run = store.create(fake_plan(1)).id
    store.forget(run)
    assert store.list() == []
    assert [key for key in redis.keys() if run.encode() in key] == []
    assert redis.xlen(queue_key("fake")) == 0


def test_attempts_are_forgotten_when_all_workers_ended_with_their_parent(
    redis: Redis, store: RunStore
) -> None:
    impatient = BatchQueue(redis, lease_ms=0)
    run = store.create(fake_plan(1)).id
    for _ in range(3):
        impatient.take("w", ["fake"], 10)
    store.forgive()
    taken = impatient.take("w", ["fake"], 10)
    assert taken is not None and taken.run == run
