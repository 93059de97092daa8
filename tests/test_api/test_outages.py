"""Redis or the server die in the middle, by kill -9; viewers go on where they were."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import httpx
import pytest
from live import Document, live_server
from puppet import Puppet, payloads
from redis_process import RedisProcess, free_port
from waiting import eventually
from websockets.exceptions import ConnectionClosed

from entroscope.broker.connect import connect
from entroscope.client.client import Client

SPEC: Document = {"model": "fake", "trajectories": 20, "schedule": {"steps": 4}}


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    folder = tmp_path / "redis"
    folder.mkdir()
    process = RedisProcess(folder)
    yield process
    process.kill()


def test_without_redis_the_server_says_so_and_recovers(
    own_redis: RedisProcess, tmp_path: Path
) -> None:
    own_redis.kill()
    with live_server(own_redis.url, tmp_path) as live:
        for method, path in [("GET", "/api/runs"), ("POST", "/api/runs"), ("GET", "/api/models")]:
            response = live.http.request(method, path, json=SPEC)
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert response.headers["content-type"] == "application/problem+json"
        assert live.http.get("/healthz").json()["status"] == "degraded"
        own_redis.start()
        eventually(lambda: live.http.get("/healthz").json()["redis"])
        with connect(own_redis.url) as redis:
            Puppet(redis).announce()
        assert live.make(SPEC)["state"] == "queued"


def test_a_run_goes_on_when_redis_comes_back_and_viewers_miss_nothing(
    own_redis: RedisProcess, tmp_path: Path
) -> None:
    with live_server(own_redis.url, tmp_path) as live, connect(own_redis.url) as redis:
        puppet = Puppet(redis).announce()
        run = live.make(SPEC)["id"]
        with live.socket(run) as socket:
            puppet.perform(puppet.take())
            before = [socket.recv(timeout=20) for _ in range(11)]
            own_redis.kill()
            assert live.http.get(f"/api/runs/{run}").status_code == 503
            own_redis.start()
            puppet.announce().finish(run)
            after = list(socket)
        types = [json.loads(m)["type"] for m in [*before, *after] if isinstance(m, str)]
        batch = ["started", *["point"] * 4, "batch"]
        assert types == ["queued", *batch * 3, "checks", "done"]


def test_a_server_that_stops_tells_its_viewers_to_come_again(
    redis_url: str, puppet: Puppet, tmp_path: Path
) -> None:
    with ExitStack() as viewers:
        with live_server(redis_url, tmp_path) as live:
            run = live.make(SPEC)["id"]
            url = f"{live.url}/api/runs/{run}/events"
            stream = viewers.enter_context(httpx.stream("GET", url, timeout=30))
            socket = viewers.enter_context(live.socket(run))
            assert json.loads(socket.recv(timeout=20))["type"] == "queued"
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=20)
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1012
    assert len(lines) == 1  # and the stream ended in peace


class ServerProcess:
    """`serve` as a process of its own."""

    def __init__(self, redis_url: str, data_dir: Path, port: int) -> None:
        options = f"redis_url={redis_url!r}, data_dir={str(data_dir)!r}, port={port}, tend_s=0.05"
        code = (
            "from entroscope.api.server import serve; from entroscope.settings import Settings; "
            f"serve(Settings({options}))"
        )
        self._process = subprocess.Popen([sys.executable, "-c", code])
        eventually(lambda: self._answers(port))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @staticmethod
    def _answers(port: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
        except httpx.TransportError:
            return False


class Watcher(threading.Thread):
    """A script that watches a run to its end."""

    def __init__(self, client: Client, run: str) -> None:
        super().__init__()
        self._handle, self.seen = client.attach(run), list[Document]()

    def run(self) -> None:
        for event in self._handle:
            self.seen.append(event)


def test_a_killed_server_is_replaced_and_viewers_miss_nothing(
    own_redis: RedisProcess, tmp_path: Path
) -> None:
    port = free_port()
    server = ServerProcess(own_redis.url, tmp_path, port)
    with connect(own_redis.url) as redis, Client(f"http://127.0.0.1:{port}") as client:
        puppet = Puppet(redis).announce()
        run = client.run(SPEC).id
        watchers = [Watcher(client, run) for _ in range(2)]
        for watcher in watchers:
            watcher.start()
        puppet.perform(puppet.take())
        eventually(lambda: all(len(watcher.seen) == 11 for watcher in watchers))
        taken = puppet.take()
        for payload in islice(payloads(taken.plan, taken.batch), 2):
            puppet.publish(taken, payload)
        server.kill()
        for payload in islice(payloads(taken.plan, taken.batch), 2, None):
            puppet.publish(taken, payload)  # the run goes on without a server
        server = ServerProcess(own_redis.url, tmp_path, port)
        expected = [entry.id for entry in puppet.log.read(run)]
        eventually(lambda: all(len(w.seen) == len(expected) for w in watchers))
        puppet.announce().finish(run)
        for watcher in watchers:
            watcher.join(timeout=30)
        assert [[e["id"] for e in w.seen][: len(expected)] for w in watchers] == [expected] * 2
        assert all(watcher.seen[-1]["type"] == "done" for watcher in watchers)
        assert client.attach(run).result().document["trajectories"] == 20
    server.kill()
