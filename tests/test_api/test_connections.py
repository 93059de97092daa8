"""Connections that say nothing, or half of something, keep nobody else out."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from live import Live, live_server
from redis_process import free_port
from waiting import eventually

from entroscope.processes.local_redis import LocalRedis

HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: "
BODY = b"POST /api/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
#: Is told when its body is being read.
EXPECTING = BODY.replace(b"\r\n\r\n{", b"\r\nExpect: 100-continue\r\n\r\n")
#: Files that the process may have open, and half-open connections to it.
FILES, HALF_OPEN = 160, 400


@contextmanager
def server_with_few_files(redis_url: str, folder: Path) -> Iterator[int]:
    """Serve in a process of its own and yield its port."""
    port = free_port()
    code = (
        "from entroscope.api.server import serve; from entroscope.settings import Settings; "
        f"serve(Settings(redis_url={redis_url!r}, data_dir={str(folder)!r}, port={port}))"
    )
    limit = (FILES, FILES)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit),
    )
    try:
        eventually(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False


def half_open(stack: ExitStack, port: int, data: bytes) -> socket.socket:
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
    connection.sendall(data)
    return connection


def port_of(live: Live) -> int:
    return int(live.url.rpartition(":")[2])


@pytest.mark.parametrize("data", [b"", HALF], ids=["silent", "half a header"])
def test_half_open_connections_keep_nobody_out(
    real_redis: LocalRedis, tmp_path: Path, data: bytes
) -> None:
    with server_with_few_files(real_redis.url, tmp_path) as port, ExitStack() as stack:
        for _ in range(HALF_OPEN):
            half_open(stack, port, data)
        assert answers(port)


@pytest.mark.parametrize("data", [b"", HALF, BODY], ids=["silent", "half a header", "half a body"])
def test_a_request_that_does_not_come_to_its_end_is_closed(
    real_redis: LocalRedis, tmp_path: Path, data: bytes
) -> None:
    options = {"headers_s": 0.2, "body_s": 0.2}
    with live_server(real_redis.url, tmp_path, **options) as live, ExitStack() as stack:
        connection = half_open(stack, port_of(live), data)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert connection.recv(1000) == b""


def test_a_second_request_on_a_connection_has_a_time_limit_too(
    real_redis: LocalRedis, tmp_path: Path
) -> None:
    with live_server(real_redis.url, tmp_path, headers_s=0.2) as live, ExitStack() as stack:
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection = half_open(stack, port_of(live), request)
        assert b" 200 " in connection.recv(10_000)
        connection.sendall(HALF)
        received = b"".join(iter(lambda: connection.recv(10_000), b""))
        assert b"HTTP/1.1 408 " in received


def test_where_all_connections_are_at_work_a_further_one_is_refused(
    real_redis: LocalRedis, tmp_path: Path
) -> None:
    with live_server(real_redis.url, tmp_path, max_connections=3) as live, ExitStack() as stack:
        busy = [half_open(stack, port_of(live), EXPECTING) for _ in range(3)]
        assert {connection.recv(100) for connection in busy} == {b"HTTP/1.1 100 Continue\r\n\r\n"}
        assert refused(port_of(live))
        for connection in busy:
            connection.close()
        eventually(lambda: answers(port_of(live)))


def refused(port: int) -> bool:
    with ExitStack() as stack:
        return half_open(stack, port, HALF).recv(1000).startswith(b"HTTP/1.1 503 ")
