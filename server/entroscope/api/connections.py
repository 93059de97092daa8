"""HTTP connections that end when nothing comes of them, and no more than there are files for.

A connection that has sent half a request costs as much as any other and needs no token. Headers and
bodies have a time limit; where there are too many connections, those go first that have no request.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Files kept free for everything but connections.
RESERVED_FILES = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections are granted.

    Attributes:
        connections: most of them, viewers included.
        headers_s: time for all headers of a request, from the connection or its first byte on.
        body_s: time for a body, from the end of the headers on.
    """

    connections: int
    headers_s: float
    body_s: float


def most_connections(wanted: int) -> int:
    """Return how many connections there are files for, `wanted` at most; asks the system for more.

    The limit of this process is raised as far as it may raise it.
    """
    try:
        import resource
    except ImportError:  # no such limits on this system
        return wanted
    files = wanted + RESERVED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < files:
        soft = files if hard == resource.RLIM_INFINITY else min(files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(files, soft) - RESERVED_FILES) if soft > 0 else wanted


class Connection(H11Protocol):
    """One connection and the time it has left.

    Attributes:
        since_s: when it was made, by the clock of the event loop.
    """

    def __init__(self, *, limits: Limits, **rest: Any) -> None:
        super().__init__(**rest)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._phase: Any = None
        self.since_s = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections and not self._make_room():
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop()
        super().handle_websocket_upgrade(event)

    @property
    def is_waiting(self) -> bool:
        """Whether there is no request on it, or not all of one's headers."""
        return self.conn.their_state is h11.IDLE

    def _watch(self) -> None:
        """Begin to measure the time where another part of a request is due."""
        if self.transport.get_protocol() is not self:  # it has become a WebSocket
            return
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._stop()
        self._phase = phase
        due_s = {h11.IDLE: self._limits.headers_s, h11.SEND_BODY: self._limits.body_s}.get(phase)
        if due_s is not None:
            self._timer = self.loop.call_later(due_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _stop(self) -> None:
        self._phase = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> bool:
        """Cut the oldest that waits for a request; return whether there was any."""
        others = [each for each in self.connections if isinstance(each, Connection)]
        waiting = [each for each in others if each is not self and each.is_waiting]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda each: each.since_s)
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why, where no answer has begun, and close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            rest = "Connection: close\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"
            self.transport.write((line + rest).encode())
        self.transport.close()
