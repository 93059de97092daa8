"""Moves finished runs from Redis to the archive, and keeps the broadcast up to date."""

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from entroscope.broker.archivist import Archivist
from entroscope.broker.connect import reason
from entroscope.broker.event_log import Entry, EventLog
from entroscope.broker.idempotency import forget_end, keep_end
from entroscope.broker.rows import Row
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.result import result_document
from entroscope.protocol.errors import Conflict, NotFound
from entroscope.protocol.events import START
from entroscope.protocol.states import FINAL, State
from entroscope.runs.archive import Archive
from entroscope.runs.archive_files import Finished
from entroscope.runs.documents import Outlines, final_document
from entroscope.streaming.broadcast import Broadcast, Replay, project
from entroscope.streaming.projection import Projection

log = logging.getLogger("entroscope")

#: What a complaint is about that is not about a run.
REDIS = "redis"


class Archiver:
    """One at a time; every step may be interrupted and is then done again or found done.

    Args:
        name: of this server; of several on one Redis, one archives what nobody asks for.
    """

    def __init__(
        self,
        store: RunStore,
        event_log: EventLog,
        archive: Archive,
        broadcast: Broadcast,
        outlines: Outlines,
        redis: Redis,
        name: str,
    ) -> None:
        self._store, self._log, self._outlines = store, event_log, outlines
        self._redis, self._archivist = redis, Archivist(redis, name)
        self._archive, self._broadcast = archive, broadcast
        self._lock = threading.Lock()
        self._complaints: dict[str, str] = {}

    def tend(self, idle_s: float) -> None:
        """Do what there is to do; an error is told once and tried again the next time."""
        try:
            rows = self._store.list()
            running = [row.id for row in rows if row.state == State.RUNNING]
            self._broadcast.tend(running, idle_s)
            for run in self._broadcast.lost(self._exists):
                log.warning("run %s is gone from Redis", run)
                self._broadcast.retire(run)
            archives = self._archivist.take()
        except RedisError as error:
            self._complain(REDIS, f"Redis does not answer, trying again: {reason(error)}")
            return
        if self._complaints.pop(REDIS, None):
            log.warning("Redis is back")
        for row in rows if archives else ():
            if row.state in FINAL:
                self.settle(row)

    def leave(self) -> None:
        """Let another server archive at once."""
        with suppress(RedisError):  # the lease lapses by itself
            self._archivist.leave()

    def settle(self, row: Row, *, at_once: bool = False) -> bool:
        """Archive a finished run; return whether it is archived now.

        Args:
            at_once: do not wait until its viewers have all of its log before them.
        """
        if self._broadcast.is_behind(row.id) and not at_once:
            return False
        try:
            self._move(row)
        except (OSError, RedisError, ValueError, KeyError, Conflict) as error:
            self._complain(row.id, f"run {row.id} stays in Redis for now: {error!r}")
            return False
        self._complaints.pop(row.id, None)
        return True

    def result(self, row: Row) -> dict[str, Any] | None:
        """Return the result of a finished run that is still in Redis, or None without batches."""
        return _result(self._replay(row).projection)

    def drop(self, run: str) -> None:
        """Remove a run from wherever it is: Redis, the archive, or both while it moves."""
        with self._lock:
            if run in self._archive:
                self._archive.delete(run)
            self._store.forget(run)
            forget_end(self._redis, run)
        self._complaints.pop(run, None)
        self._broadcast.retire(run)

    def _move(self, row: Row) -> None:
        with self._lock:
            if row.id not in self._archive:
                try:
                    self._archive.add(row.id, self._finished(self._store.get(row.id)))
                except NotFound:
                    return  # somebody else has moved and deleted it
            keep_end(self._redis, row.id, self._archive.document(row.id))
            self._broadcast.retire(row.id)  # before the log goes: who joins now reads the archive
            self._store.forget(row.id)

    def _finished(self, row: Row) -> Finished:
        replay = self._replay(row)
        projection = replay.projection
        sums, values = self._store.sums(row.id), self._store.values(row.id)
        outline, trajectories = self._outlines.of(row), projection.trajectories
        return Finished(
            final_document(row, outline, trajectories, projection.fraction),
            _result(projection),
            replay.frames,
            {batch: (sums[batch], values[batch]) for batch in sums},
        )

    def _replay(self, row: Row) -> Replay:
        """Return all of a finished run's log, as its viewers were sent it where it has any.

        Raises:
            ValueError: the log lacks a batch that the run has.
        """
        replay = self._broadcast.replay(row.id)
        if replay is None:
            projection = Projection(row.id, row.plan)
            replay = Replay(projection, project(projection, self._entries(row.id)))
        if set(replay.projection.fold.facts) != self._store.measured_batches(row.id):
            raise ValueError("its log and its batches differ")
        return replay

    def _entries(self, run: str) -> Iterator[Entry]:
        after = START
        while entries := self._log.read(run, after):
            yield from entries
            after = entries[-1].id

    def _exists(self, run: str) -> bool:
        return self._store.exists(run)

    def _complain(self, about: str, text: str) -> None:
        if self._complaints.get(about) != text:
            self._complaints[about] = text
            log.warning("%s", text)


def _result(projection: Projection) -> dict[str, Any] | None:
    fold = projection.fold
    return result_document(fold, projection.checks) if fold.facts else None
