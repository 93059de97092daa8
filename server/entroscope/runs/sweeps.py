"""Sweeps: one request that makes several runs, and what became of them together."""

import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from entroscope.broker.idempotency import id_of_key
from entroscope.broker.rows import NewRun
from entroscope.broker.run_store import RunStore
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.sweep import Sweep, default_title, sweep_plans
from entroscope.protocol.errors import Conflict, NotFound
from entroscope.protocol.states import FINAL, State
from entroscope.protocol.validation import read_document
from entroscope.runs.estimate import cost_seconds
from entroscope.runs.limits import run_bytes
from entroscope.runs.listing import Listing
from entroscope.runs.results import Results
from entroscope.runs.submission import Submissions
from entroscope.runs.sweep_store import SweepRow, SweepStore

log = logging.getLogger("entroscope")
Document = dict[str, Any]
Ordered = tuple[Sweep, list[Plan]]


class Sweeps:
    """Makes sweeps and tells about them."""

    def __init__(
        self,
        redis: Redis,
        runs: RunStore,
        store: SweepStore,
        submissions: Submissions,
        listing: Listing,
        results: Results,
        max_evaluations: int,
    ) -> None:
        self._redis, self._runs, self._store = redis, runs, store
        self._submissions, self._listing, self._results = submissions, listing, results
        self._max_evaluations = max_evaluations
        self._lock = threading.Lock()
        self._complained = False

    def order(self, document: Any) -> Ordered:
        """Return a sweep as it was sent, and the plans of its runs.

        Raises:
            InvalidDocument, SpecError: what is wrong with which field.
        """
        sweep = read_document(Sweep, document)
        return sweep, sweep_plans(sweep, self._submissions.accept, self._max_evaluations)

    def submit(self, ordered: Ordered, document: Any, key: str | None) -> tuple[str, bool]:
        """Return the id of a sweep and whether it was made just now.

        Args:
            document: the sweep as it was sent, which the key stands for.
        """
        sweep, plans = ordered
        with self._lock:
            id = uuid.uuid4().hex if key is None else id_of_key(self._redis, key, document)
            if key is not None and self._exists(id):
                return id, False
            self._make(id, sweep, plans)
        self.tend()
        return id, True

    def plan(self, document: Any) -> Document:
        """Return what a sweep would be and cost."""
        sweep, plans = self.order(document)
        rates = self._listing.rates()
        seconds = [cost_seconds(plan.work, plan.info.name, rates) for plan in plans]
        known = [each for each in seconds if each is not None]
        return {
            "title": sweep.title or default_title(plans),
            "runs": len(plans),
            "cost": {
                "evaluations": sum(plan.evaluations for plan in plans),
                "seconds": sum(known) if len(known) == len(seconds) else None,
            },
        }

    def document(self, sweep: str) -> Document:
        """Return a sweep with its runs."""
        row = self._store.get(sweep)
        runs = self._listing.documents(row.runs)
        there = [run["id"] for run in runs]
        fractions = ((State(run["state"]), run["progress"]["fraction"]) for run in runs)
        return {**_about(row, there, fractions), "spec": row.spec, "runs": runs}

    def summary(self, sweep: str) -> Document:
        """Return a sweep and its runs in short."""
        return next(self._summaries([self._store.get(sweep)]))

    def page(self, limit: int, before: tuple[int, str] | None) -> list[Document]:
        """Return sweeps in short, newest first, that are older than `before` (created_ms, id)."""
        rows = self._store.list()
        older = (row for row in rows if before is None or (row.created_ms, row.id) < before)
        return list(self._summaries(list(islice(older, limit))))

    def cancel(self, sweep: str) -> Document:
        """Cancel every run that has not ended and return the receipts."""
        standings = self._listing.standings()
        runs = self._store.get(sweep).runs
        open_runs = [run for run in runs if run in standings and not standings[run].ended]
        return {"id": sweep, "receipts": [self._results.cancel(run) for run in open_runs]}

    def delete(self, sweep: str) -> None:
        """Remove a finished sweep and its runs."""
        row = self._store.get(sweep)
        standings = self._listing.standings()
        there = [run for run in row.runs if run in standings]
        if still := sum(not standings[run].ended for run in there):
            raise Conflict(f"{still} runs of sweep {sweep!r} have not ended; this needs all to")
        for run in row.runs:
            if self._listing.exists(run):  # those that cannot be read are there and stand nowhere
                self._results.delete(run)
        self._store.delete(sweep)

    def tend(self) -> None:
        """Bring new sweeps to the disk; an error is told once and tried again the next time."""
        try:
            self._store.keep()
        except (OSError, RedisError) as error:
            if not self._complained:
                log.warning("new sweeps stay in Redis for now: %r", error)
            self._complained = True
        else:
            self._complained = False

    def _make(self, id: str, sweep: Sweep, plans: list[Plan]) -> None:
        self._submissions.check_room(plans)
        new = [
            NewRun(uuid.uuid4().hex, plan, parent=id, reserved=run_bytes(plan)) for plan in plans
        ]
        row = SweepRow(
            id,
            int(time.time() * 1000),
            sweep.title or default_title(plans),
            sweep.spec,
            tuple(sweep.vary),
            tuple(run.id for run in new),
        )
        self._runs.create_all(new, self._store.birth(row))

    def _exists(self, sweep: str) -> bool:
        try:
            self._store.get(sweep)
        except NotFound:
            return False
        return True

    def _summaries(self, rows: list[SweepRow]) -> Iterator[Document]:
        standings = self._listing.standings() if rows else {}
        for row in rows:
            there = [run for run in row.runs if run in standings]
            known = [standings[run] for run in there]
            about = _about(row, there, ((each.state, each.fraction) for each in known))
            runs = [
                {"id": run, "state": each.state, "position": each.position}
                for run, each in zip(there, known, strict=True)
            ]
            yield {**about, "runs": runs}


def _about(
    row: SweepRow, there: Collection[str], fractions: Iterable[tuple[State, float]]
) -> Document:
    """Return what is the same in long and short: of the runs that are still there."""
    known = list(fractions)
    done = [1.0 if state in FINAL else fraction for state, fraction in known]
    return {
        "id": row.id,
        "title": row.title,
        "created_ms": row.created_ms,
        "state": joint_state([state for state, _ in known]),
        "progress": sum(done) / len(done) if done else 1.0,
        "vary": [patch for patch, run in zip(row.vary, row.runs, strict=True) if run in there],
    }


def joint_state(states: Collection[State]) -> State:
    """Return the state of several runs together; without any there is nothing left to do."""
    if not FINAL.issuperset(states):
        return State.QUEUED if set(states) == {State.QUEUED} else State.RUNNING
    worst = (State.FAILED, State.CANCELLED)
    return next((state for state in worst if state in states), State.DONE)
