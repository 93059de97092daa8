"""What runs there are, live and archived, as one list: their documents, pages and states."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from entroscope.broker.presence import Presence
from entroscope.broker.rows import Row, Unreadable, UnreadableRun
from entroscope.broker.run_store import RunStore
from entroscope.protocol.states import FINAL, State
from entroscope.runs.archive import Archive
from entroscope.runs.documents import Outlines, Outlook, live_document, unreadable_document
from entroscope.streaming.broadcast import Broadcast

Document = dict[str, Any]
Live = dict[str, Row | Unreadable]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is; `position` is how many are ahead of it."""

    state: State
    fraction: float
    position: int | None

    @property
    def ended(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class _Known:
    """What a page is chosen by."""

    created_ms: int
    id: str
    model: str
    state: str
    parent: str | None

    @property
    def age(self) -> tuple[int, str]:
        return self.created_ms, self.id


class Listing:
    """The runs in Redis and those in the archive.

    Args:
        end_of: returns the document of a run that another server has archived, where it is kept.
    """

    def __init__(
        self,
        store: RunStore,
        presence: Presence,
        archive: Archive,
        broadcast: Broadcast,
        outlines: Outlines,
        end_of: Callable[[str], Document | None],
    ) -> None:
        self._store, self._presence, self._archive = store, presence, archive
        self._end_of = end_of
        self._broadcast, self._outlines = broadcast, outlines

    def document(self, run: str) -> Document:
        """Return one run.

        Raises:
            NotFound: there is none.
        """
        if run in self._archive or not self._store.exists(run):
            return self._elsewhere(run) or self._archived(run, self._available())
        rows, unreadable = self._store.read()
        known = _by_id(rows, unreadable)
        if run not in known:
            return self._archived(run, self._available())
        return self._shown(known[run], self._outlook(rows))

    def page(
        self,
        model: str | None,
        state: State | None,
        limit: int,
        before: tuple[int, str] | None,
        parent: str | None = None,
    ) -> list[Document]:
        """Return runs, newest first, that are older than `before` (created_ms, id)."""
        live = self._live_rows()
        chosen = (
            run.id
            for run in sorted(self._known(live), key=lambda run: run.age, reverse=True)
            if (model is None or run.model == model)
            and (state is None or run.state == state)
            and (parent is None or run.parent == parent)
            and (before is None or run.age < before)
        )
        return list(islice(self._documents(chosen, live), limit))

    def documents(self, runs: Iterable[str]) -> list[Document]:
        """Return those of the runs that are still there, in their order."""
        return list(self._documents(runs, self._live_rows()))

    def standings(self) -> dict[str, Standing]:
        """Return where every run stands, by id."""
        rows = self._store.list()  # before the archive: a run that moves meanwhile is in both
        positions = self._store.positions()
        standings = {}
        for row in rows:
            known = self._broadcast.progress(row.id)
            fraction = 0.0 if known is None else known.fraction
            standings[row.id] = Standing(row.state, fraction, positions.get(row.id))
        archived = self._archive.listed()
        return standings | {run.id: Standing(State(run.state), 1.0, None) for run in archived}

    def equal_run(self, spec_hash: str) -> str | None:
        """Return the newest good run of a spec."""
        for row in self._store.list():
            if row.spec_hash == spec_hash and row.state == State.DONE:
                return row.id
        return self._archive.equal_run(spec_hash)

    def exists(self, run: str) -> bool:
        """Return whether there is such a run."""
        return self._store.exists(run) or run in self._archive

    def _elsewhere(self, run: str) -> Document | None:
        """Return the document of a run that another server has archived."""
        ended = None if run in self._archive else self._end_of(run)
        return ended and {**ended, "available": ended["model"] in self._available()}

    def has_ended(self, run: str) -> bool:
        """Return whether a run has ended under an Idempotency-Key, on whichever server."""
        return self._end_of(run) is not None

    def rates(self) -> dict[str, float]:
        """Return the evaluations a second of each model, as far as workers alive tell."""
        return self._outlook(self._store.list()).rates

    def _live_rows(self) -> Live:
        rows, unreadable = self._store.read()
        known = _by_id(rows, unreadable)
        return {run: row for run, row in known.items() if run not in self._archive}

    def _known(self, live: Live) -> Iterator[_Known]:
        for row in live.values():
            if isinstance(row, Row):
                yield _Known(row.created_ms, row.id, row.info.name, row.state.value, row.parent)
            else:
                yield _Known(row.created_ms, row.id, row.model, State.FAILED.value, row.parent)
        for run in self._archive.listed():
            if run.id not in live:
                yield _Known(run.created_ms, run.id, run.model, run.state, run.parent)

    def _documents(self, runs: Iterable[str], live: Live) -> Iterator[Document]:
        outlook = self._outlook([row for row in live.values() if isinstance(row, Row)])
        for run in runs:
            if run in live:
                yield self._shown(live[run], outlook)
            elif run in self._archive:
                yield self._archived(run, outlook.available)

    def _shown(self, row: Row | Unreadable, outlook: Outlook) -> Document:
        if isinstance(row, Unreadable):
            return unreadable_document(row)
        try:
            return live_document(row, self._outlines.of(row), outlook)
        except UnreadableRun as error:
            return unreadable_document(row.unreadable(error))

    def _archived(self, run: str, available: set[str]) -> Document:
        try:
            document = self._archive.document(run)
        except UnreadableRun as error:
            return unreadable_document(self._archive.unreadable(run, error))
        return {**document, "available": document["model"] in available}

    def _available(self) -> set[str]:
        return {m.name for worker in self._presence.workers() for m in worker.models}

    def _outlook(self, rows: list[Row]) -> Outlook:
        return Outlook(
            rows,
            self._presence.workers(),
            self._broadcast.progress,
            self._outlines.of,
            self._store.measured,
        )


def _by_id(rows: list[Row], unreadable: list[Unreadable]) -> Live:
    return {**{row.id: row for row in rows}, **{row.id: row for row in unreadable}}
