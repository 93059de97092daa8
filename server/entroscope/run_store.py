"""The live runs: made, read, cancelled and forgotten. What became of them stands in their logs."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from redis import Redis
from redis.client import Pipeline

from entroscope.endings import write_done, write_end
from entroscope.event_log import EventLog
from entroscope.keys import (
    CONTROL,
    RUNS,
    attempts_key,
    log_key,
    queue_key,
    run_key,
    sums_key,
    values_key,
)
from entroscope.protocol.errors import NotFound
from entroscope.protocol.fold import Fold
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.payloads import decode_sums
from entroscope.protocol.plan import Plan, spec_hash
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import FINAL, State
from entroscope.queue_entries import CLAIM_MS, batches_under_way, entry_fields, remove_waiting
from entroscope.transactions import guarded

#: Sums and values of one finished batch, as in Record.encode().
Frames = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a run beside its log.

    Attributes:
        spec: resolved.
        reason: why it failed.
        parent: the sweep it belongs to.
        extends: the run whose batches it reuses.
        cancel: somebody asked to cancel it; it may not have ended yet.
    """

    id: str
    spec: Spec
    info: ModelInfo
    state: State
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    reason: str | None
    parent: str | None
    extends: str | None
    spec_hash: str
    cancel: bool

    @property
    def plan(self) -> Plan:
        return Plan(self.spec, self.info)


@lru_cache(maxsize=16)
def read_plan(spec: bytes, info: bytes) -> Plan:
    """Return the plan of a run from its stored spec and model."""
    return Plan(Spec.model_validate_json(spec), ModelInfo.model_validate_json(info))


class RunStore:
    """The live runs in Redis."""

    def __init__(self, redis: Redis, claim_ms: int = CLAIM_MS) -> None:
        self._redis, self._claim_ms = redis, claim_ms

    def create(
        self,
        spec: Spec,
        info: ModelInfo,
        *,
        parent: str | None = None,
        extends: str | None = None,
        reuse: Mapping[int, Frames] | None = None,
        run: str | None = None,
    ) -> Row:
        """Make a run of a resolved spec and queue its first batch.

        Args:
            run: the id it is to have, where the caller must know it before.
            reuse: batches that are known already; where they suffice the run is done at once.
        """
        run, created_ms = run or uuid.uuid4().hex, time.time_ns() / 1e6
        fields: dict[str, Any] = {
            "spec": spec.model_dump_json(by_alias=True),
            "info": info.model_dump_json(),
            "model": info.name,
            "spec_hash": spec_hash(spec, info.weights_hash, info.data),
            "state": State.QUEUED.value,
            "created_ms": int(created_ms),
            "parent": parent,
            "extends": extends,
        }
        states = _states(self._redis)
        position = sum(model == info.name and state not in FINAL for _, model, state in states)
        with self._redis.pipeline() as pipe:
            pipe.hset(run_key(run), mapping={k: v for k, v in fields.items() if v is not None})
            pipe.zadd(RUNS, {run: created_ms})
            EventLog(pipe).begin(run, "queued", {"position": position})
            _queue_first(pipe, run, Fold(Plan(spec, info)), reuse or {})
            pipe.execute()
        return self.get(run)

    def get(self, run: str) -> Row:
        """Return one run.

        Raises:
            NotFound: it is none of the live runs.
        """
        fields: Any = self._redis.hgetall(run_key(run))
        if not fields:
            raise NotFound(f"no run {run!r}")
        return _row(run, fields)

    def list(self) -> list[Row]:
        """Return all live runs, newest first."""
        keys: Any = self._redis.zrevrange(RUNS, 0, -1)
        ids = [key.decode() for key in keys]
        with self._redis.pipeline(transaction=False) as pipe:
            for run in ids:
                pipe.hgetall(run_key(run))
            found = pipe.execute()
        return [_row(run, fields) for run, fields in zip(ids, found, strict=True) if fields]

    def sums(self, run: str) -> dict[int, bytes]:
        """Return the sums frame of every finished batch."""
        found: Any = self._redis.hgetall(sums_key(run))
        return {int(batch): frame for batch, frame in found.items()}

    def measured(self, row: Row) -> int:
        """Return how many trajectories a run's finished batches have."""
        found: Any = self._redis.hkeys(sums_key(row.id))
        sizes = row.plan.batches
        return sum(sizes[int(batch)][1] for batch in found)

    def values(self, run: str) -> dict[int, bytes]:
        """Return the values frame of every finished batch."""
        found: Any = self._redis.hgetall(values_key(run))
        return {int(batch): frame for batch, frame in found.items()}

    def forget(self, run: str) -> None:
        """Delete all that is known of a run; a worker that still works on it will notice."""
        model: Any = self._redis.hget(run_key(run), "model")
        with self._redis.pipeline() as pipe:
            pipe.zrem(RUNS, run)
            pipe.delete(run_key(run), log_key(run))
            pipe.delete(sums_key(run), values_key(run), attempts_key(run))
            pipe.execute()
        if model is not None:
            remove_waiting(self._redis, model.decode(), run)

    def cancel(self, run: str) -> dict[str, Any]:
        """Cancel a run and return a receipt: {state, effect, batch, step}.

        Effects: "removed" (it was queued), "stopped" (it was between two batches), "stopping" (a
        worker has a batch of it and stops at its next step; the event `cancelled` says where),
        "finished" (it had ended before).

        Raises:
            NotFound: it is none of the live runs.
        """
        model: Any = self._redis.hget(run_key(run), "model")
        receipt = guarded(self._redis, lambda pipe: self._cancel(pipe, run), run_key(run))
        if receipt["effect"] in ("removed", "stopped"):
            remove_waiting(self._redis, model.decode(), run)
        return receipt

    def forgive(self) -> None:
        """Forget attempts: all workers ended with their parent, and no batch is to blame."""
        for run, _, _ in _states(self._redis):
            self._redis.delete(attempts_key(run))

    def _cancel(self, pipe: Pipeline, run: str) -> dict[str, Any]:
        found: Any = pipe.hmget(run_key(run), "state", "model")
        if None in found:
            raise NotFound(f"no run {run!r}")
        state, model = State(found[0].decode()), found[1].decode()
        batches = batches_under_way(self._redis, model, run, self._claim_ms)
        pipe.multi()
        if state in FINAL:
            return {"state": state, "effect": "finished", "batch": None, "step": None}
        if state == State.RUNNING and batches:
            pipe.hset(run_key(run), "cancel", "1")
            pipe.publish(CONTROL, json.dumps({"run": run}))
            return {"state": state, "effect": "stopping", "batch": min(batches), "step": None}
        write_end(pipe, run, State.CANCELLED, {"batch": None, "step": None})
        effect = "removed" if state == State.QUEUED else "stopped"
        return {"state": State.CANCELLED, "effect": effect, "batch": None, "step": None}

    def positions(self) -> dict[str, int]:
        """Return how many unfinished runs of its model are ahead of each queued run."""
        ahead: dict[str, int] = {}
        positions = {}
        for run, model, state in _states(self._redis):
            if state in FINAL:
                continue
            positions[run] = ahead.get(model, 0) if state == State.QUEUED else 0
            ahead[model] = ahead.get(model, 0) + 1
        return positions


def _states(redis: Redis) -> list[tuple[str, str, State]]:
    """Return (run, model, state) of the live runs, oldest first."""
    keys: Any = redis.zrange(RUNS, 0, -1)
    ids = [key.decode() for key in keys]
    with redis.pipeline(transaction=False) as pipe:
        for run in ids:
            pipe.hmget(run_key(run), "model", "state")
        found = pipe.execute()
    return [
        (run, model.decode(), State(state.decode()))
        for run, (model, state) in zip(ids, found, strict=True)
        if model is not None and state is not None
    ]


def _queue_first(pipe: Pipeline, run: str, fold: Fold, reuse: Mapping[int, Frames]) -> None:
    """Queue the first batch that is not known, or the end of a run that needs none."""
    for batch, (sums, values) in sorted(reuse.items()):
        pipe.hset(sums_key(run), str(batch), sums)
        pipe.hset(values_key(run), str(batch), values)
        EventLog(pipe).append(run, "batch", {"batch": batch}, sums)
        fold.add_record(*decode_sums(sums))
    final = fold.final_batches()
    if final is not None:
        write_done(pipe, run, fold, final)
        return
    first = next(b for b in range(len(fold.plan.batches)) if b not in reuse)
    pipe.hset(run_key(run), "queued", first)
    pipe.xadd(queue_key(fold.plan.info.name), entry_fields(run, first))


def _row(run: str, fields: Mapping[bytes, bytes]) -> Row:
    text = {key.decode(): value.decode() for key, value in fields.items()}
    return Row(
        id=run,
        spec=Spec.model_validate_json(text["spec"]),
        info=ModelInfo.model_validate_json(text["info"]),
        state=State(text["state"]),
        created_ms=int(text["created_ms"]),
        started_ms=int(text["started_ms"]) if "started_ms" in text else None,
        finished_ms=int(text["finished_ms"]) if "finished_ms" in text else None,
        reason=text.get("reason"),
        parent=text.get("parent"),
        extends=text.get("extends"),
        spec_hash=text["spec_hash"],
        cancel=text.get("cancel") == "1",
    )
