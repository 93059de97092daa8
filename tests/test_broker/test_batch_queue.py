"""The queue's contract, on a real Redis and on fakeredis."""

from collections.abc import Sequence
from typing import Any

import pytest
from fakes import INFO, fake_plan, record_of
from redis import Redis

from entroscope.broker.batch_queue import BatchQueue, Lease, Taken
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import GROUP, attempts_key, queue_key, run_key
from entroscope.broker.rows import Row
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import decode_sums
from entroscope.protocol.states import State

SOON_MS = 60_000


@pytest.fixture
def store(redis: Redis) -> RunStore:
    return RunStore(redis)


@pytest.fixture
def queue(redis: Redis) -> BatchQueue:
    return BatchQueue(redis, lease_ms=SOON_MS)


@pytest.fixture
def impatient(redis: Redis) -> BatchQueue:
    """A queue in which every lease lapses at once."""
    return BatchQueue(redis, lease_ms=0)


def take(queue: BatchQueue, worker: str = "w") -> Taken:
    taken = queue.take(worker, ["fake"], 10)
    assert taken is not None
    return taken


def finish(queue: BatchQueue, taken: Taken) -> None:
    queue.complete(taken, record_of(taken.plan, taken.batch))


def drain(queue: BatchQueue) -> list[tuple[str, int]]:
    done = []
    while (taken := queue.take("w", ["fake"], 10)) is not None:
        finish(queue, taken)
        done.append((taken.run, taken.batch))
    return done


def events(redis: Redis, run: str) -> list[tuple[str, dict[str, Any]]]:
    return [(entry.type, entry.document) for entry in EventLog(redis).read(run)]


def types(redis: Redis, run: str) -> list[str]:
    return [type for type, _ in events(redis, run)]


def waiting(redis: Redis) -> int:
    return int(redis.xlen(queue_key("fake")))


def totals(store: RunStore, row: Row) -> list[bytes]:
    return [
        moments.total.tobytes()
        for _, frame in sorted(store.sums(row.id).items())
        for moments in decode_sums(frame)[1].values()
    ]


def begun(run: Row, batches: Sequence[int]) -> list[tuple[str, int]]:
    return [(run.id, batch) for batch in batches]


def test_two_runs_take_turns_by_batch(store: RunStore, queue: BatchQueue) -> None:
    one, two = store.create(fake_plan(3)), store.create(fake_plan(3))
    turns = [pair for b in range(3) for pair in ((one.id, b), (two.id, b))]
    assert drain(queue) == turns


def test_two_workers_share_one_run(store: RunStore, queue: BatchQueue) -> None:
    run = store.create(fake_plan(3))
    first, second = take(queue, "w1"), take(queue, "w2")
    assert {(first.run, first.batch), (second.run, second.batch)} == {(run.id, 0), (run.id, 1)}


def test_a_run_is_done_when_every_batch_has_a_record(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    run = store.create(fake_plan(2))
    drain(queue)
    said = events(redis, run.id)
    assert store.get(run.id).state == State.DONE
    assert [type for type, _ in said] == [
        "queued",
        "started",
        "batch",
        "started",
        "batch",
        "checks",
        "done",
    ]
    assert said[-1][1] == {"batches": 2, "trajectories": 12}
    assert waiting(redis) == 0


def test_batches_may_end_in_any_order(store: RunStore, queue: BatchQueue) -> None:
    run = store.create(fake_plan(2))
    first, second = take(queue, "w1"), take(queue, "w2")
    finish(queue, second)
    assert store.get(run.id).state == State.RUNNING
    finish(queue, first)
    assert store.get(run.id).state == State.DONE


def test_a_batch_is_not_taken_over_while_its_claim_is_renewed(
    store: RunStore, queue: BatchQueue
) -> None:
    store.create(fake_plan(1))
    taken = take(queue, "w1")
    assert queue.renew(taken) is Lease.HELD
    assert queue.take("w2", ["fake"], 10) is None


def test_a_lapsed_batch_is_taken_over(store: RunStore, impatient: BatchQueue) -> None:
    run = store.create(fake_plan(1))
    lost, taken = take(impatient, "w1"), take(impatient, "w2")
    assert (taken.run, taken.batch, taken.entry) == (run.id, 0, lost.entry)
    assert impatient.renew(lost) is Lease.LOST
    assert impatient.renew(taken) is Lease.HELD


def test_a_stale_worker_that_finishes_later_does_no_harm(
    redis: Redis, store: RunStore, impatient: BatchQueue
) -> None:
    run = store.create(fake_plan(1))
    stale, taken = take(impatient, "w1"), take(impatient, "w2")
    finish(impatient, taken)
    before = totals(store, run)
    impatient.complete(stale, record_of(stale.plan, 0))
    assert totals(store, run) == before
    assert types(redis, run.id).count("batch") == 1
    assert types(redis, run.id).count("done") == 1


def test_a_stale_worker_that_finishes_first_counts_once(
    redis: Redis, store: RunStore, impatient: BatchQueue
) -> None:
    run = store.create(fake_plan(2))
    stale, taken = take(impatient, "w1"), take(impatient, "w2")
    finish(impatient, stale)
    finish(impatient, taken)
    drain(impatient)
    assert sorted(store.sums(run.id)) == [0, 1]
    assert types(redis, run.id).count("batch") == 2


def test_a_batch_that_killed_its_worker_three_times_fails_its_run_and_the_queue_goes_on(
    redis: Redis, store: RunStore, impatient: BatchQueue
) -> None:
    bad = store.create(fake_plan(1))
    for attempt in range(3):
        assert take(impatient, f"w{attempt}").run == bad.id
    good = store.create(fake_plan(1))
    assert take(impatient, "w4").run == good.id
    row = store.get(bad.id)
    assert (row.state, row.reason) == (State.FAILED, "batch 0 killed its worker three times")
    assert events(redis, bad.id)[-1] == ("failed", {"reason": row.reason})


def test_a_batch_given_back_is_no_attempt_and_is_next_at_once(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    run = store.create(fake_plan(1))
    for _ in range(5):
        queue.give_back(take(queue))
    assert take(queue, "w2").run == run.id
    assert redis.hget(attempts_key(run.id), "0") == b"1"
    assert waiting(redis) == 1


def test_a_worker_that_lost_its_claim_and_lives_made_no_attempt(
    redis: Redis, store: RunStore, impatient: BatchQueue
) -> None:
    run = store.create(fake_plan(1))
    lost = take(impatient, "w1")
    take(impatient, "w2")
    impatient.let_go(lost)
    assert redis.hget(attempts_key(run.id), "0") == b"1"


def test_giving_back_a_lost_batch_changes_nothing(
    redis: Redis, store: RunStore, impatient: BatchQueue
) -> None:
    store.create(fake_plan(1))
    lost, taken = take(impatient, "w1"), take(impatient, "w2")
    impatient.give_back(lost)
    assert impatient.renew(taken) is Lease.HELD
    assert waiting(redis) == 1


def test_early_stop_takes_the_smallest_prefix(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    plan = fake_plan(6)
    errors = []
    fold = Fold(plan)
    for batch in range(6):
        fold.add_record(*decode_sums(record_of(plan, batch).encode()[0]))
        errors.append(fold.merged()["classes"].error("entropy").max())
    run = store.create(fake_plan(6, target_se_bits=float(errors[2])))
    held = [take(queue, f"w{i}") for i in range(5)]
    for taken in (held[4], held[3], held[0], held[1], held[2]):
        finish(queue, taken)
    assert store.get(run.id).state == State.DONE
    assert events(redis, run.id)[-1] == ("done", {"batches": 3, "trajectories": 20})
    assert sorted(store.sums(run.id)) == sorted(store.values(run.id)) == [0, 1, 2]
    assert queue.take("w", ["fake"], 10) is None


def test_entries_of_runs_that_are_gone_or_final_are_dropped(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    for run in ("gone", store.create(fake_plan(1)).id):
        redis.xadd(queue_key("fake"), {"run": run, "batch": 0})
    drain(queue)
    assert waiting(redis) == 0


def test_a_run_whose_spec_cannot_be_read_fails_and_the_queue_goes_on(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    bad, good = store.create(fake_plan(1)), store.create(fake_plan(1))
    spec = redis.hget(run_key(bad.id), "spec")
    redis.hset(run_key(bad.id), "spec", b'{"schema": 7}')
    assert take(queue).run == good.id
    redis.hset(run_key(bad.id), "spec", spec)
    assert store.get(bad.id).state == State.FAILED


def test_a_run_that_is_forgotten_leaves_nothing_behind(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    run = store.create(fake_plan(2))
    taken = take(queue)
    store.forget(run.id)
    assert queue.renew(taken) is Lease.LOST
    assert EventLog(redis).append(run.id, "point", {}) is None
    finish(queue, taken)
    queue.let_go(taken)
    queue.give_back(taken)
    queue.fail(taken, "late")
    assert [key for key in redis.keys() if run.id.encode() in key] == []
    assert waiting(redis) == 0


def test_models_have_queues_of_their_own_and_a_worker_holds_one_batch(
    redis: Redis, store: RunStore, queue: BatchQueue
) -> None:
    other = INFO.model_copy(update={"name": "other"})
    runs = {store.create(fake_plan(1)).id, store.create(fake_plan(1, info=other)).id}
    found = [queue.take("w1", ["fake", "other"], 10) for _ in range(3)]
    assert {taken.run for taken in found if taken} == runs
    assert queue.take("w2", ["absent"], 10) is None


def test_a_failed_run_says_why(redis: Redis, store: RunStore, queue: BatchQueue) -> None:
    run = store.create(fake_plan(2))
    queue.fail(take(queue), "ValueError: no")
    row = store.get(run.id)
    assert (row.state, row.reason) == (State.FAILED, "ValueError: no")
    assert queue.take("w", ["fake"], 10) is None


def test_a_reader_behind_more_than_ten_busy_ones_finds_the_abandoned_batch(
    redis: Redis, store: RunStore
) -> None:
    queue = BatchQueue(redis, lease_ms=SOON_MS)
    store.create(fake_plan(14))
    held = [take(queue, f"w{i}") for i in range(14)]
    redis.xclaim(queue_key("fake"), GROUP, "w13", 0, [held[13].entry], idle=2 * SOON_MS)
    assert take(queue, "other").batch == 13
