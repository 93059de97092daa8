"""All runs, live and archived, as one: what the routes ask about runs."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from entroscope.broker.event_log import EventLog
from entroscope.broker.presence import Presence
from entroscope.broker.rows import Frames, Row
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.reweighting import at_pair_prior
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict, NotFound
from entroscope.protocol.events import START
from entroscope.protocol.frames import unpack, unpack_arrays
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import FINAL, State
from entroscope.runs.archive import Archive
from entroscope.runs.archiver import Archiver
from entroscope.runs.documents import Outline, Outlook, live_document, outline
from entroscope.streaming.broadcast import Broadcast
from entroscope.streaming.projection import Frame

#: Outlines of live runs kept at hand.
OUTLINES = 1024
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is; `position` is how many are ahead of it."""

    state: State
    fraction: float
    position: int | None

    @property
    def ended(self) -> bool:
        return self.state in FINAL


class Catalog:
    """The runs in Redis and those in the archive."""

    def __init__(
        self,
        store: RunStore,
        event_log: EventLog,
        presence: Presence,
        archive: Archive,
        broadcast: Broadcast,
        archiver: Archiver,
    ) -> None:
        self._store, self._log, self._presence = store, event_log, presence
        self._archive, self._broadcast, self._archiver = archive, broadcast, archiver
        self._outlines: OrderedDict[str, Outline] = OrderedDict()
        self._lock = threading.Lock()

    def document(self, run: str) -> Document:
        """Return one run.

        Raises:
            NotFound: there is none.
        """
        row = self._live(run)
        if row is None:
            return self._archived(run, self._available())
        return live_document(row, self._outline(row), self._outlook(self._store.list()))

    def page(
        self,
        model: str | None,
        state: State | None,
        limit: int,
        before: tuple[int, str] | None,
        parent: str | None = None,
    ) -> list[Document]:
        """Return runs, newest first, that are older than `before` (created_ms, id)."""
        rows = [row for row in self._store.list() if row.id not in self._archive]
        outlook = self._outlook(rows)
        live = {row.id: row for row in rows}
        known = [(r.created_ms, r.id, r.info.name, r.state.value, r.parent) for r in rows]
        for own in self._archive.listed():
            if own.id not in live:
                known.append((own.created_ms, own.id, own.model, own.state, own.parent))
        chosen = (
            id
            for created_ms, id, own_model, at, own_parent in sorted(known, key=_age, reverse=True)
            if (model is None or own_model == model)
            and (state is None or at == state)
            and (parent is None or own_parent == parent)
            and (before is None or (created_ms, id) < before)
        )
        return list(islice(self._documents(chosen, live, outlook), limit))

    def documents(self, runs: Iterable[str]) -> list[Document]:
        """Return those of the runs that are still there, in their order."""
        rows = [row for row in self._store.list() if row.id not in self._archive]
        live = {row.id: row for row in rows}
        return list(self._documents(iter(runs), live, self._outlook(rows)))

    def standings(self) -> dict[str, Standing]:
        """Return where every run stands, by id."""
        rows = self._store.list()  # before the archive: a run that moves meanwhile is in both
        positions = self._store.positions()
        found = {}
        for row in rows:
            known = self._broadcast.progress(row.id)
            fraction = 0.0 if known is None else known.fraction
            found[row.id] = Standing(row.state, fraction, positions.get(row.id))
        ended = {own.id: Standing(State(own.state), 1.0, None) for own in self._archive.listed()}
        return found | ended

    def result(self, run: str) -> Document:
        """Return the result of a finished run.

        Raises:
            NotFound: there is no such run, or none of its batches was finished.
            Conflict: it has not finished.
        """
        result = None if run in self._archive else self._archiver.result(self._final_row(run))
        if result is None and run in self._archive:  # already, or meanwhile
            result = self._archive.result(run)
        if result is None:
            raise NotFound(f"run {run!r} ended before its first batch did and has no result")
        return result

    def result_at(self, run: str, pair_prior: float | None) -> Document:
        """Return the result of a finished run, each-vs-rest at a wanted prior of the pair.

        Raises:
            NotFound, Conflict: as `result`, or there are no values per trajectory.
            SpecError: the run has no each-vs-rest curve.
        """
        result = self.result(run)
        if pair_prior is None:
            return result
        document, frames = self.finished_run(run)
        spec = Spec.model_validate(document["spec"])
        plan = Plan(spec, ModelInfo.model_validate(document["info"]))
        records = [unpack_arrays(frames[batch][1])[1] for batch in sorted(frames)]
        return at_pair_prior(plan, result, records, pair_prior)

    def preview(self, run: str, step: int) -> bytes:
        """Return the picture of one step."""
        if run in self._archive:
            return self._archive.preview(run, step)
        row = self._store.get(run)
        frame = self._broadcast.preview(run, step)
        if frame is not None and frame.binary is not None:
            return unpack(frame.binary)[1]
        return self._logged_preview(row, step)

    def source(self, run: str) -> Plan | list[Frame]:
        """Return what there is to watch of a run: its plan, or all events of a finished one."""
        try:
            return self._store.get(run).plan
        except NotFound:
            return self._archive.events(run)

    def finish(self, run: str) -> None:
        """Make sure that a run is archived.

        Raises:
            NotFound: there is no such run.
            Conflict: it has not finished.
        """
        if run not in self._archive and not self._archiver.settle(
            self._final_row(run), at_once=True
        ):
            raise Conflict(
                f"run {run!r} cannot be archived at the moment; the server's log says why"
            )

    def delete(self, run: str) -> None:
        """Remove a finished run."""
        self.finish(run)
        self._archive.delete(run)
        self._broadcast.retire(run)

    def cancel(self, run: str) -> Document:
        """Cancel a run and return the receipt."""
        if run in self._archive:
            state = self._archive.document(run)["state"]
            return {"id": run, "state": state, "effect": "finished", "batch": None, "step": None}
        return {"id": run, **self._store.cancel(run)}

    def finished_run(self, run: str) -> tuple[Document, dict[int, Frames]]:
        """Return document and batches of a finished run."""
        self.finish(run)
        return self._archive.document(run), self._archive.frames(run)

    def equal_run(self, spec_hash: str) -> str | None:
        """Return the newest good run of a spec."""
        for row in self._store.list():
            if row.spec_hash == spec_hash and row.state == State.DONE:
                return row.id
        return self._archive.equal_run(spec_hash)

    def exists(self, run: str) -> bool:
        """Return whether there is such a run."""
        return self._live(run) is not None or run in self._archive

    def rates(self) -> dict[str, float]:
        """Return the evaluations a second of each model, as far as workers alive tell."""
        return self._outlook(self._store.list()).rates

    def _final_row(self, run: str) -> Row:
        row = self._store.get(run)
        if row.state not in FINAL:
            raise Conflict(f"run {run!r} is {row.state}; this needs a finished one")
        return row

    def _live(self, run: str) -> Row | None:
        try:
            row = self._store.get(run)
        except NotFound:
            return None
        return None if run in self._archive else row

    def _archived(self, run: str, available: set[str]) -> Document:
        document = self._archive.document(run)
        return {**document, "available": document["model"] in available}

    def _documents(
        self, runs: Iterator[str], live: dict[str, Row], outlook: Outlook
    ) -> Iterator[Document]:
        for run in runs:
            if run in live:
                yield live_document(live[run], self._outline(live[run]), outlook)
            elif run in self._archive:
                yield self._archived(run, outlook.available)

    def _available(self) -> set[str]:
        return {m.name for worker in self._presence.workers() for m in worker.models}

    def _outlook(self, rows: list[Row]) -> Outlook:
        return Outlook(
            rows,
            self._presence.workers(),
            self._broadcast.progress,
            self._outline,
            self._store.measured,
        )

    def _outline(self, row: Row) -> Outline:
        with self._lock:
            if row.id in self._outlines:
                self._outlines.move_to_end(row.id)
                return self._outlines[row.id]
        made = outline(row.plan)
        with self._lock:
            self._outlines[row.id] = made
            if len(self._outlines) > OUTLINES:
                self._outlines.popitem(last=False)
        return made

    def _logged_preview(self, row: Row, step: int) -> bytes:
        after = START
        while entries := self._log.read(row.id, after, 200):
            for entry in entries:
                if entry.type == "preview" and unpack(entry.data)[0]["step"] == step:
                    return unpack(entry.data)[1]
            after = entries[-1].id
        raise NotFound(f"run {row.id!r} has no picture of step {step}")


def _age(known: tuple[int, str, str, str, str | None]) -> tuple[int, str]:
    return known[:2]
