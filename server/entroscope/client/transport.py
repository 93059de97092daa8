"""How a script reaches a server: requests, and events that outlive a broken connection."""

import json
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from entroscope.protocol.errors import Conflict, EntroscopeError, NotFound, SpecError, Unavailable
from entroscope.protocol.events import LAST
from entroscope.protocol.frames import unpack

#: Pauses between attempts to reach a server that is away.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
#: Close codes that no further attempt would change.
FATAL = {4400: Conflict, 4403: Conflict, 4404: NotFound}

Document = dict[str, Any]


class Transport:
    """Requests to one server.

    Args:
        token: what the server printed at its start, where it wants one.
        patience_s: how long to go on trying when the server cannot be reached.
    """

    def __init__(self, url: str, token: str | None, patience_s: float) -> None:
        self.url, self._patience_s = url.rstrip("/"), patience_s
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.url, headers=self._headers, timeout=60.0)

    def call(self, method: str, path: str, **options: Any) -> Document:
        """Return the answer to one request as a document; {} where it has none.

        Raises:
            EntroscopeError: what the server said was wrong, or that it cannot be reached.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unavailable(f"no answer from {self.url}: {error}") from None
        if response.is_error:
            raise _error(response)
        return dict(response.json()) if response.content else {}

    def events(self, path: str, after: str) -> Iterator[Document]:
        """Yield the events of a run after one, connecting again wherever the connection breaks.

        Args:
            path: of the run, as "/api/runs/ID".
        Raises:
            Unavailable: the server stayed away for longer than `patience_s`.
        """
        deadline, pause_s = time.monotonic() + self._patience_s, FIRST_PAUSE_S
        while True:
            try:
                for event in self._connected(path, after):
                    after, pause_s = event["id"], FIRST_PAUSE_S
                    deadline = time.monotonic() + self._patience_s
                    yield event
                    if event["type"] in LAST:
                        return
                return
            except (ConnectionClosed, InvalidHandshake, OSError) as error:
                _check_fatal(error)
                if time.monotonic() > deadline:
                    raise Unavailable(f"lost {self.url}: {error}") from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _connected(self, path: str, after: str) -> Iterator[Document]:
        """Yield events from one connection until the server closes it in peace."""
        url = f"ws{self.url.removeprefix('http')}{path}/events?after={after}"
        headers = self._headers
        with connect(url, additional_headers=headers, compression=None, max_size=None) as socket:
            for message in socket:
                yield _event(message)


def _event(message: str | bytes) -> Document:
    if isinstance(message, str):
        return dict(json.loads(message))
    header, image = unpack(message)
    return {"type": "preview", **header, "image": image}


def _check_fatal(error: Exception) -> None:
    """Raise what trying again would not change."""
    if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in FATAL:
        raise FATAL[error.rcvd.code](error.rcvd.reason) from None


def _error(response: httpx.Response) -> EntroscopeError:
    """Return a problem document as the error it stands for."""
    try:
        problem = response.json()
        errors, detail = problem.get("errors") or [], str(problem["detail"])
    except (ValueError, KeyError, AttributeError):
        errors, detail = [], f"{response.status_code} {response.reason_phrase}"
    if errors:
        return SpecError(errors[0]["field"], errors[0]["value"], errors[0]["message"])
    kinds = {
        HTTPStatus.NOT_FOUND: NotFound,
        HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    }
    return kinds.get(HTTPStatus(response.status_code), Conflict)(detail)
