"""A worker in a thread: what it says, how it stops, what it survives."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from fakes import INFO, MODEL, fake_batch, fake_plan, record_of
from redis import Redis
from waiting import eventually
from workers import bits_of, moments_of, running

from entroscope.broker.batch_queue import BatchQueue, Lease
from entroscope.broker.event_log import Entry, EventLog
from entroscope.broker.keys import PRESETS
from entroscope.broker.presence import Presence
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.records import Payload, Point, Record
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.frames import unpack
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import FINAL, State
from entroscope_workers.library.preset_files import run_presets
from entroscope_workers.library.registry import load_models
from entroscope_workers.sampling.runner import run_batch
from entroscope_workers.worker.worker import RunBatch, Worker

Hook = Callable[[int, int], None]


def silent(line: str) -> None:
    """Say nothing."""


def make(redis: Redis, run_batch: RunBatch = fake_batch, **options: Any) -> Worker:
    given: dict[str, Any] = {"lease_ms": 2000, "say": silent} | options
    return Worker(redis, {"fake": MODEL}, "tester", "cpu", run_batch=run_batch, **given)


def hooked(hook: Hook) -> RunBatch:
    """Return fake batches that call hook(batch, step) after each point is published."""

    def run_batch(plan: Plan, index: int, model: Any) -> Iterator[Payload]:
        for payload in fake_batch(plan, index):
            yield payload
            if isinstance(payload, Point):
                hook(index, payload.step)

    return run_batch


def wait_for_end(store: RunStore, run: str) -> State:
    eventually(lambda: store.get(run).state in FINAL)
    return store.get(run).state


def entries(log: EventLog, run: str, type: str) -> list[Entry]:
    return [entry for entry in log.read(run) if entry.type == type]


def test_a_run_s_log_tells_its_whole_story(redis: Redis, store: RunStore, log: EventLog) -> None:
    run = store.create(fake_plan(1))
    with running(make(redis)):
        assert wait_for_end(store, run.id) == State.DONE
    said = [entry.type for entry in log.read(run.id) if entry.type not in ("point", "preview")]
    assert said == ["queued", "started", "batch", "checks", "done"]
    (started,) = entries(log, run.id, "started")
    assert started.document == {"worker": "tester", "device": "cpu", "batch": 0}
    assert [Point.decode(e.data).step for e in entries(log, run.id, "point")] == [0, 3]
    previews = entries(log, run.id, "preview")
    assert [unpack(e.data)[0]["step"] for e in previews] == [0, 1, 2, 3]
    assert unpack(previews[0].data)[1] == b"picture"


def test_cancel_takes_effect_within_one_step(redis: Redis, store: RunStore, log: EventLog) -> None:
    run = store.create(fake_plan(2, schedule={"steps": 50}))

    def cancel(batch: int, step: int) -> None:
        if (batch, step) == (1, 20):
            assert store.cancel(run.id)["effect"] == "stopping"
            eventually(lambda: worker._heartbeat.lease is Lease.CANCELLED)

    worker = make(redis, hooked(cancel))
    with running(worker):
        assert wait_for_end(store, run.id) == State.CANCELLED
    assert log.read(run.id)[-1].document == {"batch": 1, "step": 21}


def test_a_model_s_exception_fails_the_run_in_one_line_and_the_worker_lives(
    redis: Redis, store: RunStore, log: EventLog
) -> None:
    def explode(batch: int, step: int) -> None:
        if batch == 1:
            raise ValueError("no such number\nand much more")

    bad, good = store.create(fake_plan(3)), store.create(fake_plan(1))
    lines: list[str] = []
    with running(make(redis, hooked(explode), say=lines.append)):
        assert wait_for_end(store, bad.id) == State.FAILED
        assert wait_for_end(store, good.id) == State.DONE
    assert store.get(bad.id).reason == "ValueError: no such number"
    assert log.read(bad.id)[-1].document == {"reason": "ValueError: no such number"}
    assert lines == [f"run {bad.id}, batch 1 failed: ValueError: no such number"]


def test_a_batch_without_a_record_fails_its_run(redis: Redis, store: RunStore) -> None:
    run = store.create(fake_plan(1))
    with running(make(redis, lambda plan, index, model: iter(()))):
        assert wait_for_end(store, run.id) == State.FAILED
    assert store.get(run.id).reason == "the batch ended without a record"


def test_a_worker_announces_itself_and_what_it_does(redis: Redis, store: RunStore) -> None:
    presence, release = Presence(redis), threading.Event()
    run = store.create(fake_plan(1))
    with running(make(redis, hooked(lambda batch, step: assert_set(release)))):
        eventually(lambda: [(w.run, w.batch) for w in presence.workers()] == [(run.id, 0)])
        release.set()
        eventually(lambda: [w.run for w in presence.workers()] == [None])
        (worker,) = presence.workers()
        assert (worker.name, worker.device, worker.models) == ("tester", "cpu", [INFO])
    assert presence.workers() == []
    assert presence.models() == {"fake": (INFO, False)}


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_a_worker_leaves_a_run_that_ended_without_it(
    redis: Redis, store: RunStore, log: EventLog
) -> None:
    plan, queue = fake_plan(1), BatchQueue(redis)
    error = record_of(plan, 0).moments["classes"].error("entropy").max()
    run = store.create(fake_plan(3, target_se_bits=float(error)))
    first = queue.take("other", ["fake"], 10)
    assert first is not None

    def hold(batch: int, step: int) -> None:
        if (batch, step) == (1, 1):
            queue.complete(first, record_of(first.plan, 0))
            eventually(lambda: worker._heartbeat.lease is Lease.LOST)

    worker = make(redis, hooked(hold))
    with running(worker):
        after = store.create(fake_plan(1, seed=1))
        assert wait_for_end(store, after.id) == State.DONE
    assert log.read(run.id)[-1].document == {"batches": 1, "trajectories": 4}
    assert sorted(store.sums(run.id)) == [0]


def test_a_worker_drops_what_is_gone_when_redis_was_emptied(redis: Redis, store: RunStore) -> None:
    store.create(fake_plan(3))
    noticed = threading.Event()

    def empty(batch: int, step: int) -> None:
        if (batch, step) == (1, 1):
            redis.flushall()
            eventually(lambda: worker._heartbeat.lease is Lease.LOST)
            noticed.set()

    worker = make(redis, hooked(empty), lease_ms=500)
    with running(worker):
        assert_set(noticed)
        after = store.create(fake_plan(1))
        assert wait_for_end(store, after.id) == State.DONE
        eventually(lambda: Presence(redis).workers())
    assert [row.id for row in store.list()] == [after.id]


def test_a_run_of_a_real_model_comes_to_the_same_as_the_runner_alone(
    redis: Redis, store: RunStore
) -> None:
    models = load_models(["gaussian-mixture"], torch.device("cpu"))
    info = models["gaussian-mixture"].info
    given = {"model": info.name, "trajectories": 40, "schedule": {"steps": 8}}
    run = store.create(resolve(Spec.model_validate(given), info))
    with running(Worker(redis, models, "tester", "cpu", say=silent)):
        assert wait_for_end(store, run.id) == State.DONE
    expected = {}
    for batch in range(len(run.plan.batches)):
        *_, record = run_batch(run.plan, batch, models["gaussian-mixture"])
        assert isinstance(record, Record)
        expected[batch] = bits_of(record.encode()[0])
    assert moments_of(store, run.id) == expected


def test_a_worker_brings_its_presets_again_where_redis_has_lost_them(redis: Redis) -> None:
    presence, presets = Presence(redis), run_presets()
    with running(make(redis, presets=presets)):
        eventually(lambda: presence.presets() == presets)
        redis.delete(PRESETS)
        eventually(lambda: presence.presets() == presets)
