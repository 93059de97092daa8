"""Finished runs compared, from what is archived of them."""

from typing import Any

from entroscope.broker.rows import Frames
from entroscope.measurement.curves.comparison import check_comparable, compare
from entroscope.measurement.curves.trajectories import Trajectories
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict
from entroscope.runs.results import Results, plan_of

Document = dict[str, Any]


def comparison(results: Results, run: str, base: str) -> Document:
    """Return what a run has more than another.

    Raises:
        NotFound: there is no such run.
        Conflict: one is not done, or keeps no values per trajectory.
        SpecError: the field in which they differ and may not.
    """
    plans, frames = zip(*(_done(results, one) for one in (run, base)), strict=True)
    check_comparable(*plans)
    values = (_trajectories(*pair) for pair in zip((run, base), frames, strict=True))
    return {"schema": 1, "run": run, "base": base, **compare(*plans, *values)}


def _done(results: Results, run: str) -> tuple[Plan, dict[int, Frames]]:
    document, frames = results.finished_run(run)
    if document["state"] != "done":
        raise Conflict(f"run {run!r} is {document['state']}; only runs that are done are compared")
    return plan_of(document), frames


def _trajectories(run: str, frames: dict[int, Frames]) -> Trajectories:
    try:
        return Trajectories.decode(frames)
    except Conflict as error:
        raise Conflict(f"run {run!r} cannot be compared: {error}") from None
