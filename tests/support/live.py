"""A real server on a free port, in a thread."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from waiting import eventually
from websockets.sync.client import ClientConnection, connect

from entroscope.api.server import listen, make_server
from entroscope.protocol.events import LAST
from entroscope.settings import Settings

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Live:
    """A server that answers.

    Attributes:
        http: a client of it.
        socket_url: where its WebSockets are.
    """

    settings: Settings
    app: FastAPI
    http: httpx.Client
    socket_url: str

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    def make(self, document: Document, **options: Any) -> Document:
        """Make a run."""
        response = self.http.post("/api/runs", json=document, **options)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def run(self, id: str) -> Document:
        """Return a run's document."""
        return dict(self.http.get(f"/api/runs/{id}").json())

    def socket(self, id: str, after: str = "0-0", **options: Any) -> ClientConnection:
        """Watch a run."""
        url = f"{self.socket_url}/api/runs/{id}/events?after={after}"
        socket: ClientConnection = connect(url, compression=None, max_size=None, **options)
        return socket


@contextmanager
def live_server(redis_url: str, data_dir: Path, **options: Any) -> Iterator[Live]:
    """Serve; archive quickly, and forget nothing unless told."""
    given: dict[str, Any] = {"port": 0, "tend_s": 0.05}
    settings = Settings(redis_url=redis_url, data_dir=data_dir, **(given | options))
    listener = listen(settings)
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    server = make_server(settings)
    app: FastAPI = server.app
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        eventually(lambda: server.started)
        with httpx.Client(base_url=f"http://{address}", timeout=30) as http:
            yield Live(settings, app, http, f"ws://{address}")
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


def sse_events(live: Live, id: str, after: str = "0-0", **options: Any) -> Iterator[Document]:
    """Yield the events of a run as an EventSource would see them."""
    url = f"/api/runs/{id}/events"
    with live.http.stream("GET", url, params={"after": after}, **options) as response:
        assert response.headers["content-type"].startswith("text/event-stream"), response.read()
        for line in response.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                yield event
                if event["type"] in LAST:
                    return
