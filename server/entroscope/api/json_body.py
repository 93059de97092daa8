"""Reading a request's JSON: of bounded size, and nothing that JSON does not have."""

import json
from http import HTTPStatus
from typing import Any, NoReturn

from fastapi import Request
from starlette.requests import ClientDisconnect

from entroscope.api.problems import RequestError

#: How much more of a body that is too large is read and dropped, so that its sender can hear why.
DROPPED_BYTES = 2**25
#: Objects and arrays inside each other; what walks a document later has no limit of its own.
DEEPEST = 64


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request.

    Raises:
        RequestError: it is larger than `limit` bytes, or was cut off.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > limit + DROPPED_BYTES:
                break
    except ClientDisconnect:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body was cut off") from None
    if size > limit:
        raise RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {limit:,} bytes"
        )
    return b"".join(chunks)


def parse_json(body: bytes) -> Any:
    """Return a JSON document.

    Raises:
        RequestError: it is not JSON (RFC 8259: UTF-8, no NaN or Infinity, names once).
    """
    try:
        text = body.decode()
        document = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
        _check_depth(document)
        json.dumps(document, ensure_ascii=False).encode()  # fails for half a surrogate pair
    except RecursionError:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the JSON is nested too deeply") from None
    except UnicodeError:
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body is not UTF-8") from None
    except ValueError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
    return document


def _check_depth(document: Any) -> None:
    """Raise RecursionError where a document is nested more than `DEEPEST` levels deep."""
    level = [document]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    raise RecursionError


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:60]!r} occurs twice in one object")
    return members
