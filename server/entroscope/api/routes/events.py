"""The events of a run, live: a WebSocket, or server-sent events at the same path."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Response, WebSocket, status

from entroscope.api.deps import RunDep, ServicesDep, cursor_in_log, run_id, services
from entroscope.api.event_streams import (
    UNEXPECTED,
    UNKNOWN,
    Closing,
    EventStream,
    close,
    follow,
    show,
)
from entroscope.protocol.errors import NotFound, SpecError
from entroscope.protocol.events import START

router = APIRouter(prefix="/api/runs/{run}/events", tags=["events"])
After = Annotated[str, Query(description="Begin after the event with this id")]


@router.get(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "One event after the other, as in /api/schema/events; pictures as URLs",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        204: {"description": "The run has ended and there is nothing after that event"},
    },
)
async def stream_events(
    run: RunDep,
    services: ServicesDep,
    after: After = START,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream the events of a run from any event on (?after= or Last-Event-ID) until its end."""
    start = cursor_in_log(after, last_event_id)
    channel = await to_thread.run_sync(services.broadcast.open, run)
    if channel.final and channel.place_after(start) == len(channel):
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    frames = follow(services.broadcast, run, start)
    return EventStream(frames, services.settings.stall_s)


@router.websocket("")
async def watch(socket: WebSocket, run: str, after: After = START) -> None:
    """Send the events of a run, pictures as binary frames, until its end or the client's."""
    await socket.accept()
    of_app = services(socket)
    try:
        run_id(run)
        start = cursor_in_log(after, None)
    except NotFound:
        await close(socket, UNKNOWN)
    except SpecError as error:
        await close(socket, Closing(UNEXPECTED.code, str(error)[:120]))
    else:
        await show(socket, of_app.broadcast, run, start, of_app.settings.stall_s)
