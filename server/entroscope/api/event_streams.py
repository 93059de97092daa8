"""What one viewer gets: a WebSocket or a stream of server-sent events, each a cursor into a run."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from anyio import create_task_group, fail_after, move_on_after
from redis.exceptions import RedisError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from entroscope.protocol.errors import NotFound, Unavailable
from entroscope.streaming.broadcast import Broadcast
from entroscope.streaming.projection import Frame

T = TypeVar("T")

#: How long a viewer waits for a frame before it is told that there is none yet.
QUIET_S = 15.0
#: What a client should wait before it connects again, in milliseconds.
RETRY_MS = 1000


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a WebSocket is closed."""

    code: int
    reason: str


ENDED = Closing(1000, "the run has ended")
RESTARTING = Closing(1012, "the server stops; connect again with ?after=<last id>")
UNREACHABLE = Closing(1013, "Redis is out of reach; try again")
UNEXPECTED = Closing(4400, "nothing is to be sent on this socket")
REFUSED = Closing(4403, "the token is missing or wrong")
UNKNOWN = Closing(4404, "no such run")
STALLED = Closing(4408, "nothing was read for too long; connect again with ?after=<last id>")


async def first_of(*functions: Callable[[], Awaitable[T]]) -> T:
    """Run functions side by side; return the first result and cancel the rest."""
    results: list[T] = []
    async with create_task_group() as group:

        async def race(function: Callable[[], Awaitable[T]]) -> None:
            results.append(await function())
            group.cancel_scope.cancel()

        for function in functions:
            group.start_soon(race, function)
    return results[0]


async def show(
    socket: WebSocket, broadcast: Broadcast, run: str, after: str, stall_s: float
) -> None:
    """Send a run's events to an accepted WebSocket until one side has had enough."""
    closing = await first_of(
        partial(_send_frames, socket, broadcast, run, after, stall_s), partial(_listen, socket)
    )
    if closing is not None:
        await close(socket, closing)


async def close(socket: WebSocket, closing: Closing) -> None:
    """Close an accepted WebSocket, whose peer may be faster."""
    with move_on_after(1), suppress(WebSocketDisconnect):
        await socket.close(closing.code, closing.reason)


async def _send_frames(
    socket: WebSocket, broadcast: Broadcast, run: str, after: str, stall_s: float
) -> Closing | None:
    try:
        async with aclosing(follow(broadcast, run, after)) as frames:
            async for frame in frames:
                if frame is not None:
                    with fail_after(stall_s):
                        await _send(socket, frame)
    except NotFound:
        return UNKNOWN
    except TimeoutError:
        return STALLED
    except (Unavailable, RedisError):
        return UNREACHABLE
    except WebSocketDisconnect:
        return None
    return RESTARTING if broadcast.stopping else ENDED


async def _send(socket: WebSocket, frame: Frame) -> None:
    if frame.binary is None:
        await socket.send_text(frame.text)
    else:
        await socket.send_bytes(frame.binary)


async def _listen(socket: WebSocket) -> Closing | None:
    """Return when the peer leaves, or says something although nothing is to be said."""
    message = await socket.receive()
    return None if message["type"] == "websocket.disconnect" else UNEXPECTED


async def follow(broadcast: Broadcast, run: str, after: str) -> AsyncGenerator[Frame | None]:
    """Yield every event after one, live ones as they come; None now and then when it is quiet.

    Raises:
        NotFound: there is no such run (any more).
    """
    while not broadcast.stopping:
        async with broadcast.cursor(run, after) as cursor:
            while not (cursor.at_end or cursor.moved):
                frame = cursor.take()
                if frame is not None:
                    after = frame.id
                    yield frame
                    continue
                with move_on_after(QUIET_S) as quiet:
                    await cursor.wait()
                if quiet.cancelled_caught:
                    yield None
            if cursor.at_end:
                return


class EventStream(Response):
    """Server-sent events of one run, as a response."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[Frame | None], stall_s: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames, self._stall_s = frames, stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await first_of(partial(self._send_chunks, send), partial(_wait_for_disconnect, receive))

    async def _send_chunks(self, send: Send) -> None:
        try:
            await self._send_chunk(send, f"retry: {RETRY_MS}\n\n")
            async for frame in self._frames:
                await self._send_chunk(send, event_text(frame))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, NotFound, Unavailable, RedisError):
            return  # an unfinished response is what tells the client to connect again

    async def _send_chunk(self, send: Send, text: str) -> None:
        with fail_after(self._stall_s):
            chunk = {"type": "http.response.body", "body": text.encode(), "more_body": True}
            await send(chunk)


def event_text(frame: Frame | None) -> str:
    """Return a frame as one server-sent event; None is a comment that keeps proxies awake."""
    return ": quiet\n\n" if frame is None else f"id: {frame.id}\ndata: {frame.text}\n\n"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
