"""Redis at its maxmemory: what frees memory works, what needs some is refused and says why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Document, Live, live_server
from puppet import Puppet
from redis import Redis
from redis_process import RedisProcess
from waiting import eventually

from entroscope.broker.archivist import Archivist
from entroscope.broker.batch_queue import Lease
from entroscope.broker.connect import connect
from entroscope.broker.keys import queue_key
from entroscope.broker.run_store import RunStore

SPEC: Document = {"model": "fake", "companions": 0, "trajectories": 20, "schedule": {"steps": 4}}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    folder = tmp_path / "redis"
    folder.mkdir()
    process = RedisProcess(folder)
    yield process
    process.kill()


@pytest.fixture
def redis(own_redis: RedisProcess) -> Iterator[Redis]:
    with connect(own_redis.url) as client:
        yield client


@pytest.fixture
def puppet(redis: Redis) -> Puppet:
    return Puppet(redis).announce()


@pytest.fixture
def live(own_redis: RedisProcess, puppet: Puppet, tmp_path: Path) -> Iterator[Live]:
    with live_server(own_redis.url, tmp_path) as server:
        yield server


def fill(redis: Redis) -> None:
    """Let Redis have less than it has."""
    redis.config_set("maxmemory", 2**20 // 2)


def empty(redis: Redis) -> None:
    redis.config_set("maxmemory", 0)


def test_a_new_run_is_refused_and_the_reason_told(live: Live, redis: Redis) -> None:
    fill(redis)
    response = live.http.post("/api/runs", json=SPEC)
    assert (response.status_code, "retry-after" in response.headers) == (503, True)
    assert "Redis is out of memory" in response.json()["detail"]
    health = live.http.get("/healthz").json()
    assert (health["status"], health["reason"]) == ("degraded", "Redis is out of memory")
    empty(redis)
    health = live.http.get("/healthz").json()
    assert (health["status"], health["reason"]) == ("ok", None)


def test_a_queued_run_can_be_cancelled_and_deleted(live: Live, redis: Redis) -> None:
    run = live.make(SPEC)["id"]
    fill(redis)
    receipt = live.http.post(f"/api/runs/{run}/cancel").json()
    assert (receipt["state"], receipt["effect"]) == ("cancelled", "removed")
    assert live.http.delete(f"/api/runs/{run}").status_code == 204
    assert live.http.get(f"/api/runs/{run}").status_code == 404
    assert [key for key in redis.scan_iter() if run.encode() in key] == []


def test_a_run_under_way_is_stopped_by_its_worker(live: Live, redis: Redis, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    taken = puppet.take()
    fill(redis)
    receipt = live.http.post(f"/api/runs/{run}/cancel").json()
    assert receipt["effect"] == "stopping"
    assert puppet.queue.renew(taken) is Lease.CANCELLED
    puppet.queue.cancelled(taken, 2)
    eventually(lambda: live.run(run)["state"] == "cancelled")
    eventually(lambda: not puppet.log.read(run))  # it is archived, and its memory is free


def test_an_archived_run_is_forgotten_with_all_that_it_took(
    redis: Redis, puppet: Puppet, live: Live
) -> None:
    run = live.make(SPEC)["id"]
    taken = puppet.take()  # its next batch waits in the queue
    puppet.perform(taken)
    fill(redis)
    RunStore(redis).forget(run)
    assert [key for key in redis.scan_iter() if run.encode() in key] == []
    assert redis.xlen(queue_key("fake")) == 0


def test_runs_are_refused_before_redis_is_full_until_others_have_ended(
    own_redis: RedisProcess, puppet: Puppet, redis: Redis, tmp_path: Path
) -> None:
    with live_server(own_redis.url, tmp_path, max_redis_bytes=700_000) as live:
        first = live.make(SPEC)["id"]
        live.make(SPEC)
        for path, body in [("runs", SPEC), ("sweeps", {"spec": SPEC, "vary": [{}]})]:
            response = live.http.post(f"/api/{path}", json=body)
            assert (response.status_code, "retry-after" in response.headers) == (503, True)
            assert "runs that have not ended hold 1" in response.json()["detail"]
        live.http.post(f"/api/runs/{first}/cancel").raise_for_status()
        eventually(lambda: live.http.post("/api/runs", json=SPEC).status_code == 201)


def test_a_run_for_which_redis_is_too_small_is_refused_for_good(live: Live, redis: Redis) -> None:
    redis.config_set("maxmemory", 100 * 2**20)
    sizes = {"first": 64, "largest": 64}
    large = {"trajectories": 60_000, "schedule": {"steps": 256}, "batch_sizes": sizes}
    response = live.http.post("/api/runs", json=SPEC | large)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"]) == (422, "trajectories")
    assert "all runs together may take 80" in error["message"]


def test_a_run_that_is_forgotten_reserves_nothing(live: Live, redis: Redis) -> None:
    store = RunStore(redis)
    run = live.make(SPEC)["id"]
    assert store.reserved() > 0
    store.forget(run)
    assert store.reserved() == 0


def test_the_task_of_archiving_is_taken_all_the_same(redis: Redis) -> None:
    first, second = Archivist(redis, "first"), Archivist(redis, "second")
    fill(redis)
    assert first.take()
    empty(redis)
    assert first.take()
    fill(redis)
    assert (first.take(), second.take()) == (True, False)
