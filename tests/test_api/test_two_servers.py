"""Two servers on one Redis, each with an archive of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from live import Document, Live, live_server
from puppet import Puppet
from redis import Redis
from waiting import eventually

from entroscope.broker.archivist import Archivist
from entroscope.broker.connect import connect
from entroscope.broker.keys import queue_key

SPEC: Document = {"model": "fake", "trajectories": 20, "schedule": {"steps": 4}}
KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def both(redis_url: str, puppet: Puppet, tmp_path: Path) -> Iterator[tuple[Live, Live]]:
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(live_server(redis_url, tmp_path / name)) for name in "ab"
        )
        yield first, second


def test_one_archives_and_the_other_takes_over(
    redis_url: str, puppet: Puppet, tmp_path: Path
) -> None:
    with live_server(redis_url, tmp_path / "b") as second:
        with live_server(redis_url, tmp_path / "a"):
            runs = [second.make(SPEC | {"seed": seed})["id"] for seed in range(3)]
            for run in runs:
                puppet.finish(run)
            eventually(lambda: not any(puppet.log.read(run) for run in runs))
        folders = [{run for run in runs if (tmp_path / n / "archive" / run).exists()} for n in "ab"]
        assert sorted(map(len, folders)) == [0, 3]
        last = second.make(SPEC)["id"]
        puppet.finish(last)
        eventually(lambda: not puppet.log.read(last))


def test_a_key_is_answered_the_same_by_both_also_after_the_end(
    both: tuple[Live, Live], puppet: Puppet
) -> None:
    made = [live.http.post("/api/runs", json=SPEC, headers=KEY) for live in both]
    assert [response.status_code for response in made] == [201, 200]
    run = made[0].json()["id"]
    puppet.finish(run)
    eventually(lambda: not puppet.log.read(run))
    again = [live.http.post("/api/runs", json=SPEC, headers=KEY) for live in both]
    assert [response.status_code for response in again] == [200, 200]
    assert again[0].json() == again[1].json()
    assert (again[0].json()["id"], again[0].json()["state"]) == (run, "done")


def test_a_key_sent_to_both_at_once_makes_one_run(
    both: tuple[Live, Live], puppet: Puppet, redis_url: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(both[i % 2].http.post, "/api/runs", json=SPEC, headers=KEY)
            for i in range(8)
        ]
        ids = {each.result().json()["id"] for each in asked}
    assert len(ids) == 1
    with connect(redis_url) as redis:
        assert redis.xlen(queue_key("fake")) == 1
    assert [entry.type for entry in puppet.log.read(ids.pop())] == ["queued"]


def test_the_lease_is_of_one_until_it_leaves(redis: Redis) -> None:
    first, second = Archivist(redis, "first"), Archivist(redis, "second")
    assert (first.take(), second.take(), first.take()) == (True, False, True)
    second.leave()
    assert not second.take()
    first.leave()
    assert (second.take(), first.take()) == (True, False)
