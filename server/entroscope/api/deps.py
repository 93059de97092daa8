"""What routes ask for: the services of the app, and parts of the request, checked."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Query, Request
from redis import Redis
from starlette.requests import HTTPConnection

from entroscope.api.background import Background
from entroscope.api.json_body import parse_json, read_body
from entroscope.api.planning import Planning
from entroscope.broker.presence import Presence
from entroscope.protocol.errors import NotFound, SpecError
from entroscope.protocol.events import START, event_order
from entroscope.runs.listing import Listing
from entroscope.runs.results import Results
from entroscope.runs.submission import Submissions
from entroscope.runs.sweeps import Sweeps
from entroscope.settings import Settings
from entroscope.streaming.broadcast import Broadcast

RUN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may use."""

    settings: Settings
    redis: Redis
    presence: Presence
    broadcast: Broadcast
    listing: Listing
    results: Results
    submissions: Submissions
    sweeps: Sweeps
    background: Background
    planning: Planning


def services(connection: HTTPConnection) -> Services:
    known: Services = connection.app.state.services
    return known


def run_id(run: str) -> str:
    """Return the run of the path.

    Raises:
        NotFound: it is not the id of a run.
    """
    return _checked_id("run", run)


def sweep_id(sweep: str) -> str:
    """Return the sweep of the path.

    Raises:
        NotFound: it is not the id of a sweep.
    """
    return _checked_id("sweep", sweep)


def base_id(base: str) -> str:
    """Return the run that another is compared with."""
    return run_id(base)


def _checked_id(noun: str, id: str) -> str:
    if not RUN_ID.fullmatch(id):
        raise NotFound(f"no {noun} {id[:60]!r}")
    return id


async def json_body(request: Request) -> Any:
    """Return the request's JSON document."""
    body = await read_body(request, services(request).settings.max_body_bytes)
    return await to_thread.run_sync(parse_json, body)


def page_cursor(
    before: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> tuple[int, str] | None:
    """Return where a page begins: after (created_ms, id)."""
    if before is None:
        return None
    created_ms, _, run = before.partition("-")
    if not (created_ms.isascii() and created_ms.isdigit() and RUN_ID.fullmatch(run)):
        raise SpecError("before", before, "is not the `next` of a page")
    return int(created_ms[:19]), run


def cursor_in_log(after: str, last_event_id: str | None) -> str:
    """Return after which event to begin: the header of a reconnecting EventSource is newer.

    Raises:
        SpecError: it is not the id of an event.
    """
    id = last_event_id or after or START
    try:
        event_order(id)
    except ValueError as error:
        raise SpecError("after", id, str(error)) from None
    return id


ServicesDep = Annotated[Services, Depends(services)]
RunDep = Annotated[str, Depends(run_id)]
SweepDep = Annotated[str, Depends(sweep_id)]
BaseDep = Annotated[str, Depends(base_id)]
BodyDep = Annotated[Any, Depends(json_body)]
PageDep = Annotated[tuple[int, str] | None, Depends(page_cursor)]
