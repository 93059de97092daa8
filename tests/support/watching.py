"""What a test sees of a run over a WebSocket."""

import json

import pytest
from live import Document, Live
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from entroscope.protocol.frames import unpack


def event_of(message: str | bytes) -> Document:
    """Return a message as one document; a picture gets its type and its bytes."""
    if isinstance(message, str):
        return dict(json.loads(message))
    header, image = unpack(message)
    return {"type": "preview", **header, "image": image}


def take(socket: ClientConnection, count: int) -> list[Document]:
    """Return the next events."""
    return [event_of(socket.recv(timeout=20)) for _ in range(count)]


def all_of(live: Live, run: str, after: str = "0-0") -> list[Document]:
    """Return all events until the server closes the socket."""
    with live.socket(run, after) as socket:
        return [event_of(message) for message in socket]


def closing(socket: ClientConnection) -> tuple[int, str]:
    """Return code and reason with which the server closes a socket."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            socket.recv(timeout=20)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason
