"""The web application: services, tasks beside them, routes and the layers around."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from socket import gethostname

from anyio import CapacityLimiter, create_task_group, to_thread
from fastapi import FastAPI
from redis import Redis

from entroscope.api import openapi, problems
from entroscope.api.background import Background
from entroscope.api.deps import Services
from entroscope.api.planning import Planning
from entroscope.api.routes import (
    comparisons,
    events,
    guide,
    health,
    models,
    page,
    presets,
    results,
    runs,
    schema,
    sweeps,
    workers,
)
from entroscope.api.security import Guard
from entroscope.broker.connect import connect
from entroscope.broker.event_log import EventLog
from entroscope.broker.idempotency import end_of
from entroscope.broker.presence import Presence
from entroscope.broker.run_store import RunStore
from entroscope.measurement.plan.plan import Plan
from entroscope.runs.archive import Archive
from entroscope.runs.archiver import Archiver
from entroscope.runs.documents import Outlines
from entroscope.runs.listing import Listing
from entroscope.runs.results import Results
from entroscope.runs.submission import Submissions
from entroscope.runs.sweep_store import SweepStore
from entroscope.runs.sweeps import Sweeps
from entroscope.settings import Settings
from entroscope.streaming.broadcast import Broadcast
from entroscope.streaming.projection import Frame

DESCRIPTION = """When does a diffusion model make up its mind? Runs measure class-conditional
entropy and its production over noise levels. The events of a run come over a WebSocket at
`/api/runs/{run}/events?after=ID` or, by GET, as server-sent events at the same path."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application; it reaches for Redis and the disk only once it is started."""
    app = FastAPI(
        title="Entroscope",
        version=version("entroscope"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lambda app: _lifespan(app, settings),
        responses=openapi.PROBLEMS,
    )
    for module in (
        runs,
        sweeps,
        results,
        comparisons,
        events,
        models,
        presets,
        workers,
        schema,
        guide,
        health,
    ):
        app.include_router(module.router)
    page.add_page(app)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(Guard, settings=settings)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Start the reader and the archiver, and stop them before Redis is let go."""
    redis = connect(settings.redis_url, check=False)
    archive, sweep_store = await to_thread.run_sync(_archives, redis, settings.data_dir)
    store, event_log, presence = RunStore(redis), EventLog(redis), Presence(redis)

    def source(run: str) -> Plan | list[Frame]:
        return run_results.source(run)

    broadcast = Broadcast(event_log, source, asyncio.get_running_loop())
    outlines, background = Outlines(), Background()
    name = f"{gethostname()}:{settings.data_dir.resolve()}"
    archiver = Archiver(store, event_log, archive, broadcast, outlines, redis, name)
    listing = Listing(store, presence, archive, broadcast, outlines, partial(end_of, redis))
    run_results = Results(store, event_log, archive, broadcast, archiver)
    submissions = Submissions(redis, store, presence, listing, run_results, settings)
    limit = settings.max_evaluations
    run_sweeps = Sweeps(redis, store, sweep_store, submissions, listing, run_results, limit)
    app.state.services = Services(
        settings,
        redis,
        presence,
        broadcast,
        listing,
        run_results,
        submissions,
        run_sweeps,
        background,
        Planning(),
    )
    tend = partial(_tend, archiver, run_sweeps, settings.idle_s)
    tasks: dict[str, Callable[[], Awaitable[None]]] = {"reader": broadcast.run, "archiver": tend}
    async with create_task_group() as group:
        for title, turn in tasks.items():
            group.start_soon(background.keep, title, turn, settings.tend_s)
        yield
        broadcast.stop()
        group.cancel_scope.cancel()
    await to_thread.run_sync(archiver.leave)
    redis.close()


def _archives(redis: Redis, data_dir: Path) -> tuple[Archive, SweepStore]:
    """Return what is kept on disk, read."""
    archive = Archive(data_dir / "archive")
    archive.start()
    sweeps = SweepStore(redis, data_dir / "archive" / "sweeps")
    sweeps.start()
    return archive, sweeps


async def _tend(archiver: Archiver, sweeps: Sweeps, idle_s: float) -> None:
    limiter = CapacityLimiter(1)
    await to_thread.run_sync(sweeps.tend, limiter=limiter)
    await to_thread.run_sync(archiver.tend, idle_s, limiter=limiter)
