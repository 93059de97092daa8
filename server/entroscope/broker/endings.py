"""How a run ends: state, last event and a message to the workers, all in one transaction."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis.client import Pipeline

from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import CONTROL, run_key, sums_key, values_key
from entroscope.measurement.curves.fold import Fold
from entroscope.protocol.states import State


def now_ms() -> int:
    """Return the time in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def write_end(pipe: Pipeline, run: str, state: State, document: Mapping[str, Any]) -> None:
    """Queue the end of a run in an open transaction; the last event is named like the state."""
    fields: dict[Any, Any] = {"state": state.value, "finished_ms": now_ms()}
    if "reason" in document:
        fields["reason"] = str(document["reason"])
    pipe.hset(run_key(run), mapping=fields)
    EventLog(pipe).append(run, state.value, document)
    pipe.publish(CONTROL, json.dumps({"run": run}))


@dataclass(frozen=True, slots=True)
class GoodEnd:
    """How a run ends that has all it needs; worked out before the transaction that writes it.

    Attributes:
        batches: the run is made of so many, the first ones.
        beyond: finished batches that an early stop leaves out.
        checks: as in the result.
    """

    batches: int
    trajectories: int
    beyond: tuple[int, ...]
    checks: list[dict[str, Any]]


def good_end(fold: Fold) -> GoodEnd | None:
    """Return how a run ends with these records, or None while it needs more.

    The fold keeps only the batches that the run is made of.
    """
    final = fold.final_batches()
    if final is None:
        return None
    beyond = tuple(batch for batch in fold.facts if batch >= final)
    fold.keep(final)
    return GoodEnd(final, fold.trajectories, beyond, fold.checks())


def write_done(pipe: Pipeline, run: str, end: GoodEnd) -> None:
    """Queue the good end of a run in an open transaction."""
    if end.beyond:
        beyond = [str(batch) for batch in end.beyond]
        pipe.hdel(sums_key(run), *beyond)
        pipe.hdel(values_key(run), *beyond)
    EventLog(pipe).append(run, "checks", {"checks": end.checks})
    write_end(pipe, run, State.DONE, {"batches": end.batches, "trajectories": end.trajectories})
