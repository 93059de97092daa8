"""Workers are killed at any moment; the numbers do not notice."""

import random
import signal
from typing import Any

from fakes import fake_plan
from redis import Redis
from waiting import eventually
from workers import Crew, Process, end, moments_of, points_of, undisturbed

from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import attempts_key, queue_key
from entroscope.broker.presence import Presence
from entroscope.broker.rows import Row
from entroscope.broker.run_store import RunStore
from entroscope.protocol.states import FINAL, State


def wait_for_end(store: RunStore, run: str) -> Row:
    eventually(lambda: store.get(run).state in FINAL)
    return store.get(run)


def batches_said(log: EventLog, run: str) -> list[int]:
    return [e.document["batch"] for e in log.read(run, count=100_000) if e.type == "batch"]


def attempts(redis: Redis, run: str) -> dict[int, int]:
    found: Any = redis.hgetall(attempts_key(run))
    return {int(batch): int(count) for batch, count in found.items()}


def test_a_killed_worker_s_batch_is_taken_over_and_the_numbers_are_the_same_to_the_bit(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(4))
    victim = crew.start("victim", hold=2)
    eventually(lambda: (2, 0) in points_of(log, run.id))
    victim.kill()
    crew.start("heir")
    assert wait_for_end(store, run.id).state == State.DONE
    assert moments_of(store, run.id) == undisturbed(run)
    assert sorted(batches_said(log, run.id)) == [0, 1, 2, 3]
    assert attempts(redis, run.id) == {0: 1, 1: 1, 2: 2, 3: 1}


def test_a_worker_that_wakes_after_its_batch_was_taken_over_does_no_harm(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(3, schedule={"steps": 30}))
    sleeper = crew.start("sleeper", pace_s=0.02)
    eventually(lambda: any(batch == 1 for batch, _ in points_of(log, run.id)))
    sleeper.send_signal(signal.SIGSTOP)
    crew.start("heir")
    assert wait_for_end(store, run.id).state == State.DONE
    sleeper.send_signal(signal.SIGCONT)
    after = store.create(fake_plan(2, seed=1))
    assert wait_for_end(store, after.id).state == State.DONE
    eventually(lambda: all(w.run is None for w in Presence(redis).workers()))
    sleeper.terminate()
    assert end(sleeper) == ""
    assert moments_of(store, run.id) == undisturbed(run)
    assert sorted(batches_said(log, run.id)) == [0, 1, 2]


def test_of_eighty_batches_whose_workers_are_killed_none_is_lost_and_none_counted_twice(
    store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(80))
    dice = random.Random(0)
    kills = sorted(dice.sample(range(75), 6), reverse=True)
    options = {"lease_ms": 500, "max_attempts": 100, "pace_s": 0.002}
    names = iter(f"w{i}" for i in range(100))
    alive = [crew.start(next(names), **options) for _ in range(2)]
    while kills:
        threshold = kills.pop()
        eventually(lambda: len(store.sums(run.id)) >= threshold)  # noqa: B023
        victim = alive.pop(dice.randrange(len(alive)))
        victim.kill()
        alive.append(crew.start(next(names), **options))
    assert wait_for_end(store, run.id).state == State.DONE
    assert sorted(batches_said(log, run.id)) == list(range(80))
    assert moments_of(store, run.id) == undisturbed(run)


def test_a_batch_that_kills_every_worker_fails_its_run_and_the_queue_goes_on(
    store: RunStore, crew: Crew
) -> None:
    bad, good = store.create(fake_plan(3)), store.create(fake_plan(2, seed=1))
    for name in ("one", "two", "three"):
        victim = crew.start(name, die=2)
        assert victim.wait(30) == -signal.SIGKILL
    crew.start("four", die=2)
    row = wait_for_end(store, bad.id)
    assert (row.state, row.reason) == (State.FAILED, "batch 2 killed its worker three times")
    assert wait_for_end(store, good.id).state == State.DONE


def test_a_worker_that_is_asked_to_end_gives_its_batch_back(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(1, schedule={"steps": 1000}))
    polite = crew.start("polite", pace_s=0.02)
    eventually(lambda: points_of(log, run.id))
    polite.terminate()
    assert (end(polite), polite.returncode) == ("", 0)
    assert attempts(redis, run.id) == {0: 0}
    assert redis.xlen(queue_key("fake")) == 1
    assert Presence(redis).workers() == []
    assert store.get(run.id).state == State.RUNNING


def test_a_busy_batch_does_not_starve_the_renewal_of_its_lease(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(1))
    crew.start("busy", busy=[0, 3.0], lease_ms=1000)
    eventually(lambda: points_of(log, run.id))
    crew.start("waiting", lease_ms=1000)
    assert wait_for_end(store, run.id).state == State.DONE
    assert attempts(redis, run.id) == {0: 1}


def test_two_worker_processes_share_a_run(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(fake_plan(20))
    workers: list[Process] = [crew.start(name, pace_s=0.02) for name in ("one", "two")]
    assert wait_for_end(store, run.id).state == State.DONE
    begun = [e.document["worker"] for e in log.read(run.id) if e.type == "started"]
    assert set(begun) == {"one", "two"}
    assert moments_of(store, run.id) == undisturbed(run)
    assert all(worker.poll() is None for worker in workers)
