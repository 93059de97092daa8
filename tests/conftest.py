"""Servers that tests share: a real Redis where one is installed, and fakeredis' TCP server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Live, live_server
from puppet import Puppet
from redis import Redis

from entroscope import Client
from entroscope.broker.connect import connect
from entroscope.processes.local_redis import PROGRAMS, LocalRedis, local_redis


@pytest.fixture(scope="session", autouse=True)
def no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have a models.toml: it is none of their business."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def real_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    """A real Redis for the whole session."""
    if not any(map(shutil.which, PROGRAMS)):
        pytest.skip("install redis-server (or valkey-server) to run this test")
    with local_redis(tmp_path_factory.mktemp("redis")) as local:
        yield local


@pytest.fixture(scope="session")
def fake_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedis]:
    """fakeredis' TCP server for the whole session."""
    with local_redis(tmp_path_factory.mktemp("fakeredis"), programs=()) as local:
        yield local


@pytest.fixture
def redis_url(real_redis: LocalRedis) -> str:
    """The URL of a real, empty Redis; the test is skipped where none is installed."""
    return _emptied(real_redis.url)


@pytest.fixture(params=["real_redis", "fake_redis"])
def queue_url(request: pytest.FixtureRequest) -> str:
    """The URLs of a real and of an imitated Redis, both empty."""
    local: LocalRedis = request.getfixturevalue(request.param)
    return _emptied(local.url)


@pytest.fixture
def redis(queue_url: str) -> Iterator[Redis]:
    """A client of either."""
    with connect(queue_url) as client:
        yield client


@pytest.fixture
def puppet(redis_url: str) -> Iterator[Puppet]:
    """A worker that does what it is told, on an empty Redis."""
    with connect(redis_url) as redis:
        yield Puppet(redis).announce()


@pytest.fixture
def live(redis_url: str, puppet: Puppet, tmp_path: Path) -> Iterator[Live]:
    """A server whose worker is the puppet."""
    with live_server(redis_url, tmp_path) as server:
        yield server


@pytest.fixture
def stalling(redis_url: str, puppet: Puppet, tmp_path: Path, stall_s: float) -> Iterator[Live]:
    """A server that gives up soon on viewers who do not read."""
    with live_server(redis_url, tmp_path, stall_s=stall_s, tend_s=30) as server:
        yield server


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    """A Python client of that server."""
    with Client(live.url) as own:
        yield own


def _emptied(url: str) -> str:
    with connect(url) as client:
        client.flushall()
    return url
