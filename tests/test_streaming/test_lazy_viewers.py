"""Viewers that do not read, or leave at the wrong moment."""

import asyncio
import socket as sockets
from typing import Any

import anyio
import pytest
from live import Document, Live
from puppet import Puppet
from starlette.websockets import WebSocketDisconnect
from waiting import eventually
from watching import all_of, closing, take
from websockets.sync.client import ClientConnection, connect

from entroscope.api.event_streams import show
from entroscope.broker.event_log import EventLog
from entroscope.protocol.frames import pack

SPEC: Document = {"model": "fake", "trajectories": 12, "schedule": {"steps": 4}}


def narrow(live: Live, run: str) -> ClientConnection:
    """Return a socket whose client takes little and reads nothing by itself."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect((live.http.base_url.host, live.http.base_url.port))
    url = f"{live.socket_url}/api/runs/{run}/events"
    return connect(url, sock=raw, compression=None, max_size=None, max_queue=1)


def flood(log: EventLog, run: str, count: int) -> None:
    """Log many large pictures, of as many steps."""
    header = {"batch": 0, "sigma": 1.0, "columns": 1, "rows": 1, "media_type": "image/jpeg"}
    for step in range(count):
        frame = pack({**header, "step": step, "samples": []}, bytes(60_000))
        log.append(run, "preview", {}, frame)


@pytest.mark.parametrize("stall_s", [1.0])
def test_a_client_that_never_reads_is_closed_and_harms_nobody(
    stalling: Live, puppet: Puppet
) -> None:
    run = stalling.make(SPEC)["id"]
    broadcast = stalling.app.state.services.broadcast
    with narrow(stalling, run) as lazy, stalling.socket(run, max_queue=None) as diligent:
        eventually(lambda: broadcast.open(run).viewers == 2)
        flood(puppet.log, run, 120)
        assert [e["type"] for e in take(diligent, 121)].count("preview") == 120
        eventually(lambda: broadcast.open(run).viewers == 1)
        assert closing(lazy)[0] == 4408


@pytest.mark.parametrize("stall_s", [0.3])
def test_a_stream_whose_client_never_reads_is_cut(stalling: Live, puppet: Puppet) -> None:
    run = stalling.make(SPEC)["id"]
    broadcast = stalling.app.state.services.broadcast
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    host, port = stalling.http.base_url.host, stalling.http.base_url.port
    with raw:
        raw.connect((host, port))
        request = f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        raw.sendall(request.encode())
        eventually(lambda: broadcast.open(run).viewers == 1)
        for _ in range(1000):
            puppet.log.append(run, "started", {"worker": "x" * 20_000, "device": "", "batch": 0})
        eventually(lambda: broadcast.open(run).viewers == 0)


class Leaver:
    """A peer that leaves just before it is said goodbye to."""

    async def receive(self) -> Document:
        await anyio.sleep_forever()
        return {}

    async def send_text(self, _: str) -> None:
        return None

    async def close(self, code: int, reason: str) -> None:
        raise WebSocketDisconnect(1006)


def test_a_peer_that_leaves_first_is_no_error(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC | {"previews": None})["id"]
    puppet.finish(run)
    broadcast = live.app.state.services.broadcast
    leaver: Any = Leaver()

    async def watch() -> None:
        await show(leaver, broadcast, run, "0-0", 10)

    all_of(live, run)
    asyncio.run(watch())
