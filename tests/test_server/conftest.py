"""A server with a puppet of a worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Live, live_server
from puppet import Puppet

from entroscope import Client
from entroscope.broker.connect import connect


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
