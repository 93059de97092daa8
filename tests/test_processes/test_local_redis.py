"""A Redis of our own: it keeps runs, is ours alone, and leaves nothing behind."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from processes import is_alive
from redis import Redis
from redis.exceptions import RedisError
from waiting import eventually

from entroscope.broker.connect import connect
from entroscope.processes import folder_lock as module
from entroscope.processes.local_redis import PROGRAMS, LocalRedis, local_redis
from entroscope.protocol.errors import Unavailable

HOLDER = """
import threading
from pathlib import Path
from entroscope.processes.local_redis import local_redis
with local_redis(Path({folder!r}), {programs!r}) as local:
    print(local.pid, flush=True)
    threading.Event().wait()
"""


@pytest.fixture(params=["real", "fake"])
def programs(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "fake":
        return ()
    request.getfixturevalue("real_redis")  # skips where none is installed
    return PROGRAMS


def test_it_answers_while_its_context_lasts(tmp_path: Path, programs: tuple[str, ...]) -> None:
    with local_redis(tmp_path, programs) as local:
        assert is_alive(local.pid)
        with connect(local.url) as redis:
            assert redis.set("a", "b")
    assert not is_alive(local.pid)


def test_it_dies_with_a_parent_that_was_killed(tmp_path: Path, programs: tuple[str, ...]) -> None:
    program = HOLDER.format(folder=str(tmp_path), programs=programs)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as said:
        server = int(said.readline())
    parent.kill()
    parent.wait()
    eventually(lambda: not is_alive(server))


def test_a_real_one_keeps_what_it_was_told_even_when_killed(
    tmp_path: Path, real_redis: LocalRedis
) -> None:
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        assert local.durable and str(tmp_path) in local.description
        redis.set("a", "b")
        os.kill(local.pid, signal.SIGKILL)
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        assert redis.get("a") == b"b"


def test_a_real_one_that_dies_is_started_again_with_what_it_kept(
    tmp_path: Path, real_redis: LocalRedis
) -> None:
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        redis.set("a", "b")
        eventually(lambda: redis.info("persistence")["aof_pending_bio_fsync"] == 0)
        os.kill(local.pid, signal.SIGKILL)
        eventually(lambda: answer(redis) == b"b")
        again = int(redis.info("server")["process_id"])
        assert again != local.pid
    assert not is_alive(again)


def answer(redis: Redis) -> object:
    try:
        return redis.get("a")
    except RedisError:
        return None


def test_a_folder_belongs_to_one_at_a_time(
    tmp_path: Path, real_redis: LocalRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    with local_redis(tmp_path):
        with pytest.raises(Unavailable, match="another Entroscope uses"):
            with local_redis(tmp_path):
                pass


def test_the_socket_is_private_wherever_the_folder_lies(
    tmp_path: Path, real_redis: LocalRedis
) -> None:
    for folder in (tmp_path / "with space", tmp_path / ("deep" * 40)):
        with local_redis(folder) as local, connect(local.url) as redis:
            path = Path(redis.connection_pool.connection_kwargs["path"])
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert not path.exists()


def test_a_spoilt_folder_is_said_in_one_line(tmp_path: Path, real_redis: LocalRedis) -> None:
    with local_redis(tmp_path) as local, connect(local.url) as redis:
        redis.set("a", "b")
    for file in (tmp_path / "redis").rglob("appendonly.aof*"):
        file.write_text("rubbish\n")
    with pytest.raises(Unavailable, match="the local Redis did not start: "):
        with local_redis(tmp_path):
            pass


def test_the_imitation_says_what_is_missing(tmp_path: Path) -> None:
    with local_redis(tmp_path, programs=()) as local:
        assert not local.durable
        assert "install redis-server" in local.description


def test_the_imitation_takes_and_gives_large_values(fake_redis: LocalRedis) -> None:
    value = bytes(range(256)) * 2**15  # 8 MiB, with as many line ends as chance gives
    with connect(fake_redis.url) as redis:
        redis.hset("large", "value", value)
        assert redis.hgetall("large") == {b"value": value}


def test_many_clients_of_the_imitation_come_and_go(fake_redis: LocalRedis) -> None:
    for _ in range(30):
        with Redis.from_url(fake_redis.url, protocol=2) as redis:
            assert redis.ping()
