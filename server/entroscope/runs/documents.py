"""The document of a run, from what is stored of it and a look at queue and workers."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from entroscope.broker.presence import WorkerInfo
from entroscope.broker.rows import Row, Unreadable, UnreadableRun
from entroscope.measurement.curves.checks import group_entropy
from entroscope.measurement.curves.exact import exact_curves
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.frames import finite
from entroscope.protocol.patience import wanted
from entroscope.protocol.states import FINAL, State
from entroscope.runs.estimate import Load, cost_seconds, observed, rates, seconds_left
from entroscope.streaming.projection import Projection

#: Outlines kept at hand.
KEPT = 1024


@dataclass(frozen=True, slots=True)
class Outline:
    """What a plan says for people: made once a run, since plans may be large."""

    document: Mapping[str, Any]
    evaluations: int
    work: float


def outline(plan: Plan) -> Outline:
    """Return labels, curves and noise levels of a plan."""
    exact = exact_curves(plan)
    curves = [
        {
            "key": curve.key,
            "title": curve.title,
            "partition": curve.partition,
            "path": list(curve.path),
            "groups": list(curve.names),
            "bound": group_entropy(plan, curve),
            "exact": exact[curve.key],
        }
        for curve in wanted(plan.curves)
    ]
    labels = [plan.labels[column] for column in plan.columns]
    document = {"labels": labels, "curves": curves, "sigma": plan.sigmas.tolist()}
    return Outline(finite(document), plan.evaluations, plan.work)


class Outlines:
    """The outlines of live runs, each made once."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Outline] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, row: Row) -> Outline:
        """Return the outline of a run."""
        with self._lock:
            if row.id in self._made:
                self._made.move_to_end(row.id)
                return self._made[row.id]
        made = outline(row.plan)
        with self._lock:
            self._made[row.id] = made
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made


class Outlook:
    """Where the unfinished runs stand at one moment.

    Args:
        rows: all live runs, newest first.
        progress: what is known of a run under way.
        outlined: what the plan of a run says.
        measured: trajectories of a run's finished batches, from Redis.
    """

    def __init__(
        self,
        rows: list[Row],
        workers: list[WorkerInfo],
        progress: Callable[[str], Projection | None],
        outlined: Callable[[Row], Outline],
        measured: Callable[[Row], int],
    ) -> None:
        self.available = {model.name for worker in workers for model in worker.models}
        self.positions: dict[str, int] = {}
        self._progress, self._measured = progress, measured
        unfinished = [row for row in reversed(rows) if row.state not in FINAL]
        loads: list[Load] = []
        speeds: dict[str, list[float]] = {}
        for row in unfinished:
            ahead = sum(load.model == row.info.name for load in loads)
            self.positions[row.id] = ahead if row.state == State.QUEUED else 0
            known = progress(row.id)
            done = 0.0 if known is None else known.fraction
            try:
                summary = outlined(row)
            except UnreadableRun:
                continue
            loads.append(Load(row.id, row.info.name, summary.work * (1 - done)))
            if known is not None and known.speed is not None:
                speed = known.speed * summary.work / summary.evaluations
                speeds.setdefault(row.info.name, []).append(speed)
        self.rates = observed(rates(workers), speeds, workers)
        self.seconds_left = seconds_left(loads, self.rates)

    def progress(self, row: Row) -> dict[str, Any]:
        """Return how far a run is, or was when it ended."""
        known, total = self._progress(row.id), row.spec.trajectories
        ended = row.state in FINAL
        trajectories = 0 if known is None else known.trajectories
        trajectories = self._measured(row) if ended else trajectories
        fraction = trajectories / total if known is None else known.fraction
        return {
            "trajectories": trajectories,
            "total": total,
            "fraction": 1.0 if row.state == State.DONE else fraction,
            "seconds_left": self.seconds_left.get(row.id),
        }


def live_document(row: Row, summary: Outline, outlook: Outlook) -> dict[str, Any]:
    """Return the document of a run that is not archived."""
    seconds = cost_seconds(summary.work, row.info.name, outlook.rates)
    return {
        **_stored(row),
        **summary.document,
        "position": outlook.positions.get(row.id),
        "available": row.info.name in outlook.available,
        "progress": outlook.progress(row),
        "cost": {"evaluations": summary.evaluations, "seconds": seconds},
    }


def unreadable_document(run: Unreadable) -> dict[str, Any]:
    """Return the document of a run that this version cannot read: failed, and why."""
    return {
        "schema": 1,
        "id": run.id,
        "state": State.FAILED.value,
        "model": run.model,
        "title": run.model,
        "created_ms": run.created_ms,
        "started_ms": None,
        "finished_ms": None,
        "spec": {},
        "spec_hash": "",
        "parent": run.parent,
        "extends": None,
        "reason": run.reason,
        "labels": [],
        "curves": [],
        "sigma": [],
        "position": None,
        "available": False,
        "progress": {"trajectories": 0, "total": 0, "fraction": 0.0, "seconds_left": None},
        "cost": {"evaluations": 0, "seconds": None},
    }


def final_document(
    row: Row, summary: Outline, trajectories: int, fraction: float
) -> dict[str, Any]:
    """Return the document of a finished run, and "info", the model it ran on; to be archived."""
    start, end = row.started_ms, row.finished_ms
    seconds = None if start is None or end is None else (end - start) / 1000
    return {
        **_stored(row),
        **summary.document,
        "position": None,
        "available": False,
        "progress": {
            "trajectories": trajectories,
            "total": row.spec.trajectories,
            "fraction": 1.0 if row.state == State.DONE else fraction,
            "seconds_left": None,
        },
        "cost": {"evaluations": summary.evaluations, "seconds": seconds},
        "info": row.info.model_dump(mode="json"),
    }


def without_exact(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a run without its exact curves, as lists show it."""
    return {**document, "curves": [{**curve, "exact": None} for curve in document["curves"]]}


def _stored(row: Row) -> dict[str, Any]:
    return {
        "schema": 1,
        "id": row.id,
        "state": row.state.value,
        "model": row.info.name,
        "title": row.info.title,
        "created_ms": row.created_ms,
        "started_ms": row.started_ms,
        "finished_ms": row.finished_ms,
        "spec": row.spec.document(),
        "spec_hash": row.spec_hash,
        "parent": row.parent,
        "extends": row.extends,
        "reason": row.reason,
    }
