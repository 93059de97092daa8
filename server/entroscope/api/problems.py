"""Errors as problem JSON (RFC 9457), and the one table from domain errors to HTTP."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from redis.exceptions import OutOfMemoryError, RedisError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from entroscope.protocol.errors import (
    Conflict,
    EntroscopeError,
    InvalidDocument,
    NotFound,
    SpecError,
    Unavailable,
)
from entroscope.protocol.frames import finite
from entroscope.protocol.patience import Abandoned

MEDIA_TYPE = "application/problem+json"
#: Values longer than this, as JSON, are cut in answers.
LONGEST_VALUE = 300

STATUS: dict[type[EntroscopeError], HTTPStatus] = {
    SpecError: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class FieldProblem(BaseModel):
    """One field that is off: where (dotted), what was sent, what is wrong with it."""

    field: str
    value: Any = None
    message: str


class Problem(BaseModel):
    """An error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []
    schema_: Annotated[Literal[1], Field(alias="schema")] = 1


class RequestError(Exception):
    """A request that cannot be read; nothing to do with what it asks for."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def problem(
    status: int,
    detail: str,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as a response."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    text = json.dumps(finite(body.model_dump(by_alias=True)))
    return Response(text, status, dict(headers or {}), MEDIA_TYPE)


def field_problem(error: SpecError) -> FieldProblem:
    """Return an error as part of an answer."""
    return FieldProblem(field=error.field, value=shown(error.value), message=error.reason)


def shown(value: Any) -> Any:
    """Return a value fit to be repeated in an answer."""
    text = json.dumps(finite(value), default=str)
    return value if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def install(app: FastAPI) -> None:
    """Let an app answer every error with problem JSON."""
    app.add_exception_handler(EntroscopeError, _domain_error)
    app.add_exception_handler(InvalidDocument, _invalid_document)
    app.add_exception_handler(RequestError, _request_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Abandoned, _abandoned)
    app.add_exception_handler(RedisError, _redis_error)
    app.add_exception_handler(Exception, _internal_error)


async def _domain_error(_: Request, error: Exception) -> Response:
    status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 400)
    if isinstance(error, SpecError):
        return problem(status, str(error), [field_problem(error)])
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, str(error), headers=headers)


async def _invalid_document(_: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidDocument)
    errors = [field_problem(each) for each in error.errors]
    detail = "; ".join(map(str, error.errors[:5]))
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


async def _request_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    headers = (
        {"Connection": "close"} if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
    )
    return problem(error.status, error.detail, headers=headers)


async def _invalid_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldProblem(
            field=".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0]),
            value=shown(item.get("input")),
            message=item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors()
    ]
    detail = "; ".join(f"{e.field}: {e.message}" for e in errors[:5])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {request.url.path[:200]}"
    return problem(error.status_code, detail, headers=error.headers)


async def _redis_error(_: Request, error: Exception) -> Response:
    detail = f"Redis is out of reach at the moment; nothing was changed or lost ({error})"
    if isinstance(error, OutOfMemoryError):
        detail = "Redis is out of memory; nothing was changed. Cancel or delete runs to free some"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})


async def _abandoned(_: Request, error: Exception) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, "the client left before the answer was there")


async def _internal_error(_: Request, error: Exception) -> Response:
    detail = f"internal server error ({type(error).__name__}); see the server's log"
    # uvicorn closes the connection after an exception; unannounced, the next request would fail
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, headers={"Connection": "close"})
