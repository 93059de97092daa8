"""How a run ends: state, last event and a word to the workers, all in one transaction."""

import json
import time
from collections.abc import Mapping
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


def write_done(pipe: Pipeline, run: str, fold: Fold, batches: int) -> None:
    """Queue the good end of a run that is made of its first `batches` batches."""
    beyond = [str(batch) for batch in fold.facts if batch >= batches]
    fold.keep(batches)
    if beyond:
        pipe.hdel(sums_key(run), *beyond)
        pipe.hdel(values_key(run), *beyond)
    EventLog(pipe).append(run, "checks", {"checks": fold.checks()})
    write_end(pipe, run, State.DONE, {"batches": batches, "trajectories": fold.trajectories})
