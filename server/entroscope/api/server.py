"""uvicorn with what this server needs of it: its own close of sockets, and signals that end it."""

import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from entroscope.api.app import create_app
from entroscope.api.connections import Connection, Limits, most_connections
from entroscope.broker.connect import connect
from entroscope.protocol.errors import Unavailable
from entroscope.settings import Settings

#: A socket that was closed for taking nothing has so long to take the reason, then it is cut.
CUT_S = 10.0
#: Largest message a viewer may send; it has nothing to send at all.
LARGEST_MESSAGE = 4096


class ViewerSocket(WebSocketsSansIOProtocol):
    """A WebSocket that can be closed although its peer reads nothing."""

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()  # else the code would wait behind what the peer does not take
            self.loop.call_later(CUT_S, self.transport.abort)
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # by a refusal; uvicorn would log an error instead


class Server(uvicorn.Server):
    """A server that tells when it answers, and whose viewers end when it does."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.app, self._on_ready = app, on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.services.broadcast.stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; unlike uvicorn's own, do not raise the signal again afterwards."""
        self.force_exit = self.should_exit
        self.should_exit = True


def serve(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        on_ready: is called with the address once the server answers there.

    Raises:
        Unavailable: the address is taken, the data folder cannot be written, the URL is off.
    """
    connect(settings.redis_url, check=False).close()
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"cannot use the folder {settings.data_dir}: {error.strerror}") from None
    listener = listen(settings)
    address = settings.address(listener.getsockname()[1])
    make_server(settings, lambda: on_ready(address) if on_ready else None).run([listener])


def make_server(settings: Settings, on_ready: Callable[[], None] = lambda: None) -> Server:
    """Return a server that is not started."""
    app = create_app(settings)
    most = most_connections(settings.max_connections)
    limits = Limits(most, settings.headers_s, settings.body_s)
    options: dict[str, Any] = {
        "http": partial(Connection, limits=limits),
        "ws": ViewerSocket,
        "ws_per_message_deflate": False,
        "ws_max_size": LARGEST_MESSAGE,
        "ws_ping_timeout": 30.0,
        "loop": "asyncio",
        "lifespan": "on",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 3,
    }
    return Server(uvicorn.Config(app, **options), app, on_ready)


def listen(settings: Settings) -> socket.socket:
    """Return a socket bound to the address of the settings.

    Raises:
        Unavailable: it is taken, or not ours.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host.strip("[]"),
            settings.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        address_text = f"{settings.host}:{settings.port}"
        raise Unavailable(f"cannot listen on {address_text}: {error.strerror}") from None
    return listener
