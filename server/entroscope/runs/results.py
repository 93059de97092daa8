"""One run and what came of it: its result, values, pictures and events, live or archived."""

from typing import Any

from entroscope.broker.event_log import EventLog
from entroscope.broker.plans import read_plan, stored
from entroscope.broker.rows import Frames, Row, UnreadableRun
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.reweighting import at_pair_prior
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict, NotFound
from entroscope.protocol.events import START
from entroscope.protocol.frames import unpack, unpack_arrays
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import FINAL
from entroscope.runs.archive import Archive
from entroscope.runs.archiver import Archiver
from entroscope.streaming.broadcast import Broadcast
from entroscope.streaming.projection import Frame

Document = dict[str, Any]


class Results:
    """What single runs have measured; ends and removes them, too."""

    def __init__(
        self,
        store: RunStore,
        event_log: EventLog,
        archive: Archive,
        broadcast: Broadcast,
        archiver: Archiver,
    ) -> None:
        self._store, self._log = store, event_log
        self._archive, self._broadcast, self._archiver = archive, broadcast, archiver

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
        """Return the result of a finished run, each-vs-rest at a wanted prior of the class.

        Raises:
            NotFound, Conflict: as `result`, or there are no values per trajectory.
            SpecError: the run has no each-vs-rest curve.
        """
        result = self.result(run)
        if pair_prior is None:
            return result
        document, frames = self.finished_run(run)
        records = [unpack_arrays(frames[batch][1])[1] for batch in sorted(frames)]
        return at_pair_prior(plan_of(document), result, records, pair_prior)

    def finished_run(self, run: str) -> tuple[Document, dict[int, Frames]]:
        """Return document and batches of a finished run."""
        self.finish(run)
        return self._archive.document(run), self._archive.frames(run)

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
        """Return what there is to watch of a run: its plan, or all events of an archived one."""
        if run in self._archive:
            return self._archive.events(run)
        try:
            return self._store.get(run).plan
        except NotFound:
            return self._archive.events(run)  # it has moved meanwhile, or there is none

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
        """Remove a finished run, or one that this version cannot read.

        Raises:
            NotFound: there is no such run.
            Conflict: it has not finished.
        """
        if run not in self._archive and not self._is_unreadable(run):
            self._final_row(run)
        self._archiver.drop(run)

    def cancel(self, run: str) -> Document:
        """Cancel a run and return the receipt."""
        if run in self._archive:
            state = self._archive.document(run)["state"]
            return {"id": run, "state": state, "effect": "finished", "batch": None, "step": None}
        return {"id": run, **self._store.cancel(run)}

    def _is_unreadable(self, run: str) -> bool:
        try:
            return self._store.get(run).plan is None
        except UnreadableRun:
            return True

    def _final_row(self, run: str) -> Row:
        row = self._store.get(run)
        if row.state not in FINAL:
            raise Conflict(f"run {run!r} is {row.state}; this needs a finished one")
        return row

    def _logged_preview(self, row: Row, step: int) -> bytes:
        after = START
        while entries := self._log.read(row.id, after, 200):
            for entry in entries:
                if entry.type == "preview" and unpack(entry.data)[0]["step"] == step:
                    return unpack(entry.data)[1]
            after = entries[-1].id
        raise NotFound(f"run {row.id!r} has no picture of step {step}")


def plan_of(document: Document) -> Plan:
    """Return the plan of an archived run from its document."""
    spec, info = Spec.model_validate(document["spec"]), ModelInfo.model_validate(document["info"])
    return read_plan(*stored(spec, info))
