"""Who may talk to the server: names in Host and Origin, the token, and headers that keep pages in.

A server on loopback is reachable from every page its user opens, so a request must name a host that
is ours (against DNS rebinding) and come from no foreign page (Origin; scripts send none). A page of
another port of this machine is foreign, too. Wrong tokens are counted by address.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from entroscope.api.event_streams import REFUSED, close
from entroscope.api.guesses import Guesses
from entroscope.api.problems import problem
from entroscope.settings import Settings

#: Paths that need no token.
OPEN_PATHS = frozenset({"/healthz"})
USUAL_PORTS = {"http": 80, "https": 443}

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """The outermost layer: refuses what is not for us and marks every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings, self._guesses = app, settings, Guesses()
        digest = hashlib.sha256((settings.token or "").encode()).hexdigest()
        self._cookie, self._cookie_value = f"entroscope-{digest[:8]}", digest[8:]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _marked(send)
        connection = HTTPConnection(scope)
        refusal = self._foreign(connection) or self._refusal(connection)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket" and refusal.status_code != HTTPStatus.FORBIDDEN:
            socket = WebSocket(scope, receive, send)
            await socket.accept()
            await close(socket, REFUSED)
        else:
            await refusal(scope, receive, send)

    def _foreign(self, connection: HTTPConnection) -> Response | None:
        """Refuse hosts that are not ours, and pages that did not come from the host asked."""
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        here = _address(f"//{host}")
        if here is None or here.name not in self._settings.hosts:
            return _refuse(f"this server does not answer to the name {host[:100]!r}")
        if origin is None:
            return None
        there = _address(origin)
        if there is None or not (there.same(here) or there.name in self._settings.named_hosts):
            return _refuse(f"pages of {origin[:100]!r} may not use this server")
        return None

    def _refusal(self, connection: HTTPConnection) -> Response | None:
        """Return None for whoever knows the token, else what to answer."""
        token = self._settings.token
        if token is None or connection.scope["path"] in OPEN_PATHS:
            return None
        bearer, cookie, query = self._sent(connection)
        if not (bearer or cookie or query):
            return _unknown()
        address = (connection.scope.get("client") or ("",))[0]
        if wait_s := self._guesses.wait_s(address):
            return _too_often(wait_s)
        if _equal(bearer, token) or _equal(cookie, self._cookie_value):
            return None
        if _equal(query, token):
            return self._swap(connection)
        self._guesses.wrong(address)
        return _unknown()

    def _sent(self, connection: HTTPConnection) -> tuple[str, str, str]:
        """Return the token as it stands in the header, in the cookie and in the URL, "" for none.

        A URL counts for what a browser opens only.
        """
        scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
        bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        opened = connection.scope.get("method") == "GET"
        query = connection.query_params.get("token", "") if opened else ""
        return bearer, connection.cookies.get(self._cookie, ""), query

    def _swap(self, connection: HTTPConnection) -> Response:
        """Return a redirect that sets the cookie in place of the token in the URL."""
        response = RedirectResponse(_without_token(connection), HTTPStatus.SEE_OTHER)
        response.set_cookie(self._cookie, self._cookie_value, httponly=True, samesite="strict")
        return response


@dataclass(frozen=True, slots=True)
class _Address:
    """Host and port of a URL; the port is None where the scheme decides it."""

    name: str
    port: int | None
    scheme: str

    def same(self, host: "_Address") -> bool:
        """Return whether this origin is that of pages of a host, asked for by its scheme."""
        usual = USUAL_PORTS.get(self.scheme)
        return (self.name, self.port or usual) == (host.name, host.port or usual)


def _address(url: str) -> _Address | None:
    """Return host, in lower case, and port of a URL, or None where it has no host."""
    try:
        parts = urlsplit(url)
        return _Address(parts.hostname, parts.port, parts.scheme) if parts.hostname else None
    except ValueError:
        return None


def _unknown() -> Response:
    return problem(
        HTTPStatus.UNAUTHORIZED,
        "this server wants its token: open the address it printed at its start, or send "
        "the header Authorization: Bearer TOKEN",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _too_often(wait_s: int) -> Response:
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"too many wrong tokens came from your address; wait {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )


def _refuse(detail: str) -> Response:
    return problem(HTTPStatus.FORBIDDEN, f"{detail}; start it with --allow-host NAME to allow one")


def _equal(sent: str, wanted: str) -> bool:
    return hmac.compare_digest(sent.encode(), wanted.encode())


def _without_token(connection: HTTPConnection) -> str:
    """Return path and query of a request without its token; never another host's address."""
    path = "/" + quote(connection.scope["path"].lstrip("/"))
    query = urlencode(list(_other_parameters(connection.url.query)))
    return f"{path}?{query}" if query else path


def _other_parameters(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "token":
            yield name, value


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return marked
