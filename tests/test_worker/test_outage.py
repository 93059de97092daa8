"""Redis goes away and comes back, with its append-only file, while a run is under way."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import MODEL, fake_batch, fake_plan
from redis import Redis
from waiting import eventually
from workers import Crew, end, moments_of, points_of, running, undisturbed

from entroscope.broker.connect import connect
from entroscope.broker.event_log import EventLog
from entroscope.broker.presence import Presence
from entroscope.broker.run_store import RunStore
from entroscope.processes.local_redis import PROGRAMS, local_redis
from entroscope.protocol.states import FINAL, State
from entroscope_workers.worker.worker import Worker

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, PROGRAMS)),
    reason="install redis-server (or valkey-server) to run this test",
)


@pytest.fixture
def crews() -> Iterator[list[Crew]]:
    crews: list[Crew] = []
    yield crews
    for crew in crews:
        crew.dismiss()


def test_a_run_goes_on_when_redis_was_killed_and_came_back(
    tmp_path: Path, crews: list[Crew]
) -> None:
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        run = RunStore(redis).create(fake_plan(6, schedule={"steps": 20}))
        crews.append(Crew(local.url))
        worker = crews[0].start("w", pace_s=0.02, lease_ms=2000)
        eventually(lambda: (2, 0) in points_of(EventLog(redis), run.id))
        os.kill(local.pid, signal.SIGKILL)
        assert worker.stderr is not None
        said = worker.stderr.readline().decode()
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        store = RunStore(redis)
        eventually(lambda: store.get(run.id).state in FINAL)
        assert store.get(run.id).state == State.DONE
        assert moments_of(store, run.id) == undisturbed(run)
        assert len([e for e in EventLog(redis).read(run.id) if e.type == "batch"]) == 6
        worker.terminate()
        assert end(worker) == ""
    assert said.startswith("waiting for Redis: ")


def test_workers_that_were_killed_with_redis_are_replaced_and_the_run_resumes(
    tmp_path: Path, crews: list[Crew]
) -> None:
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        run = RunStore(redis).create(fake_plan(3))
        crews.append(Crew(local.url))
        worker = crews[0].start("w", hold=1)
        eventually(lambda: (1, 0) in points_of(EventLog(redis), run.id))
        worker.kill()
        os.kill(local.pid, signal.SIGKILL)
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        store = RunStore(redis)
        with running(Worker(redis, {"fake": MODEL}, "w2", "", run_batch=fake_batch, lease_ms=500)):
            eventually(lambda: store.get(run.id).state in FINAL)
        assert moments_of(store, run.id) == undisturbed(run)


def test_a_worker_that_starts_before_redis_waits_for_it_and_says_so_once(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/redis/redis.sock"
    lines: list[str] = []
    client: Redis = connect(url, check=False)
    with client:
        worker = Worker(
            client, {"fake": MODEL}, "early", "", run_batch=fake_batch, say=lines.append
        )
        with running(worker):
            eventually(lambda: lines)
            with local_redis(tmp_path) as local, connect(local.url) as redis:
                run = RunStore(redis).create(fake_plan(1)).id
                eventually(lambda: RunStore(redis).get(run).state == State.DONE)
                eventually(lambda: Presence(redis).workers())
                worker.stop()
                eventually(lambda: not Presence(redis).workers())
    assert len(lines) == 1
