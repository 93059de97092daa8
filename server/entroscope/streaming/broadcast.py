"""One thread follows the logs of all watched runs and feeds the channels their viewers share."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread
from redis.exceptions import RedisError

from entroscope.broker.event_log import Entry, EventLog
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict, NotFound
from entroscope.protocol.events import START
from entroscope.streaming.channel import Channel
from entroscope.streaming.cursor import Cursor
from entroscope.streaming.projection import Frame, Projection

log = logging.getLogger("entroscope")

#: How long one read waits for news; a run that is watched anew waits at most as long.
BLOCK_MS = 100
#: How long to wait before Redis is asked again after it was out of reach.
RETRY_S = 0.5

#: What there is of a run: the plan of a live one, or all frames of an archived one.
Source = Callable[[str], Plan | list[Frame]]


@dataclass(slots=True)
class _Live:
    channel: Channel
    projection: Projection
    cursor: str = START


@dataclass(frozen=True, slots=True)
class Replay:
    """All of a finished run's log: its fold, and the frames that no newer one replaces."""

    projection: Projection
    frames: list[Frame]


class Broadcast:
    """The channels of all watched runs.

    Args:
        source: where a run is found; it raises NotFound.
    """

    def __init__(self, log: EventLog, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._log, self._source, self._loop = log, source, loop
        self._channels: dict[str, Channel] = {}
        self._live: dict[str, _Live] = {}
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopping = threading.Event()

    async def run(self) -> None:
        """Follow the logs until `stop`."""
        await to_thread.run_sync(self._follow, limiter=CapacityLimiter(1))

    def stop(self) -> None:
        """End the reader and send all viewers away."""
        self._stopping.set()
        self._wake.set()
        with self._lock:
            for channel in self._channels.values():
                channel.retire()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @asynccontextmanager
    async def cursor(self, run: str, after: str) -> AsyncIterator[Cursor]:
        """Watch a run from after an event on.

        Raises:
            NotFound: there is no such run.
        """
        channel = self._channels.get(run)
        if channel is None:
            channel = await to_thread.run_sync(self.open, run)
        channel.viewers += 1
        try:
            yield Cursor(channel, after)
        finally:
            channel.viewers -= 1
            channel.idle_since = time.monotonic()

    def open(self, run: str) -> Channel:
        """Return the channel of a run, made where there is none; for threads."""
        with self._lock:
            if run not in self._channels:
                self._add(run, self._source(run))
            return self._channels[run]

    def progress(self, run: str) -> Projection | None:
        """Return what is known of a run that is being followed."""
        live = self._live.get(run)
        return None if live is None else live.projection

    def is_behind(self, run: str) -> bool:
        """Return whether a run is being followed and its end has not been seen yet."""
        live = self._live.get(run)
        return live is not None and not live.channel.final

    def replay(self, run: str) -> Replay | None:
        """Return all of the log of a run that was followed to its end, or None."""
        live = self._live.get(run)
        if live is None or not live.channel.final:
            return None
        return Replay(live.projection, live.channel.frames())

    def preview(self, run: str, step: int) -> Frame | None:
        """Return the newest picture of a noise level, from a channel that is open."""
        channel = self._channels.get(run)
        return None if channel is None else channel.newest(("preview", step))

    def retire(self, run: str) -> None:
        """Forget the channel of a run whose log has moved."""
        with self._lock:
            self._live.pop(run, None)
            channel = self._channels.pop(run, None)
        if channel is not None and not channel.final:
            channel.retire()

    def tend(self, unfinished: Iterable[str], idle_s: float) -> None:
        """Follow all runs that are under way; drop what nobody has watched for a while."""
        under_way = set(unfinished)
        for run in under_way - set(self._channels):
            self._open_if_there(run)
        for run, channel in list(self._channels.items()):
            idle = time.monotonic() - channel.idle_since
            if run not in under_way and channel.viewers == 0 and idle > idle_s:
                self.retire(run)

    def lost(self, known: Callable[[str], bool]) -> list[str]:
        """Return the runs that are followed but do not exist any more."""
        with self._lock:
            live = [run for run, live in self._live.items() if not live.channel.final]
        return [run for run in live if not known(run)]

    def _open_if_there(self, run: str) -> None:
        try:
            self.open(run)
        except (NotFound, Conflict):
            return  # it was deleted a moment ago, or this version cannot read it

    def _add(self, run: str, source: Plan | list[Frame]) -> None:
        channel = Channel(run, self._loop)
        if isinstance(source, Plan):
            self._live[run] = _Live(channel, Projection(run, source))
            self._wake.set()
        else:
            channel.extend(source)
        self._channels[run] = channel

    def _follow(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                live = [each for each in self._live.values() if not each.channel.final]
            cursors = {each.channel.run: each.cursor for each in live}
            if not cursors:
                self._wake.wait()
                self._wake.clear()
                continue
            try:
                news = self._log.follow(cursors, BLOCK_MS)
            except RedisError:  # the archiver tells of it
                self._stopping.wait(RETRY_S)
                continue
            self._publish(news)

    def _publish(self, news: dict[str, list[Entry]]) -> None:
        for run, entries in news.items():
            live = self._live.get(run)
            if live is not None:
                live.cursor = entries[-1].id
                live.channel.extend(project(live.projection, entries))


def project(projection: Projection, entries: Iterable[Entry]) -> list[Frame]:
    """Return the frames of some entries; an entry this version cannot read is left out."""
    frames = []
    for entry in entries:
        try:
            frame = projection.apply(entry)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            log.warning("run %s: cannot read entry %s: %r", projection.run, entry.id, error)
            continue
        if frame is not None:
            frames.append(frame)
    return frames
