"""Who may talk to the server: names in Host and Origin, the token, and headers that keep pages in.

A server on loopback is reachable from every page its user opens, so a request must name a host that
is ours (against DNS rebinding) and come from no foreign page (Origin; scripts send none).
"""

import hashlib
import hmac
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from entroscope.api.event_streams import REFUSED, close
from entroscope.api.problems import problem
from entroscope.settings import Settings

#: Paths that need no token.
OPEN_PATHS = frozenset({"/healthz"})

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
        self._app, self._settings = app, settings
        digest = hashlib.sha256((settings.token or "").encode()).hexdigest()
        self._cookie, self._cookie_value = f"entroscope-{digest[:8]}", digest[8:]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = _marked(send)
        connection = HTTPConnection(scope)
        refusal = self._foreign(connection.headers)
        if refusal is None and not self._may_enter(connection):
            if scope["type"] == "websocket":
                socket = WebSocket(scope, receive, send)
                await socket.accept()
                await close(socket, REFUSED)
                return
            refusal = self._ask_for_token(connection)
        await (refusal or self._app)(scope, receive, send)

    def _foreign(self, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if _name(f"//{host}") not in self._settings.hosts:
            return _refuse(f"this server does not answer to the name {host[:100]!r}")
        if origin is not None and _name(origin) not in self._settings.hosts:
            return _refuse(f"pages of {origin[:100]!r} may not use this server")
        return None

    def _may_enter(self, connection: HTTPConnection) -> bool:
        token = self._settings.token
        if token is None or connection.scope["path"] in OPEN_PATHS:
            return True
        scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
        bearer = credentials.strip() if scheme.lower() == "bearer" else ""
        cookie = connection.cookies.get(self._cookie, "")
        return _equal(bearer, token) or _equal(cookie, self._cookie_value)

    def _ask_for_token(self, connection: HTTPConnection) -> Response:
        """Return a redirect that sets the cookie where the token is in the URL, else a refusal."""
        token = connection.query_params.get("token", "")
        if connection.scope["method"] != "GET" or not _equal(token, self._settings.token or ""):
            return problem(
                HTTPStatus.UNAUTHORIZED,
                "this server wants its token: open the address it printed at its start, or send "
                "the header Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )
        response = RedirectResponse(_without_token(connection), HTTPStatus.SEE_OTHER)
        response.set_cookie(self._cookie, self._cookie_value, httponly=True, samesite="strict")
        return response


def _name(url: str) -> str | None:
    """Return the host of a URL in lower case, or None where it has none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises where it is no number)
        return parts.hostname
    except ValueError:
        return None


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
