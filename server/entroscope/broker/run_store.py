"""The live runs: made, read, cancelled and forgotten. What became of them stands in their logs."""

import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from redis import Redis
from redis.client import Pipeline

from entroscope.broker.endings import GoodEnd, good_end, write_done, write_end
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import (
    CONTROL,
    RESERVED,
    RUNS,
    attempts_key,
    log_key,
    queue_key,
    run_key,
    sums_key,
    values_key,
)
from entroscope.broker.queue_entries import (
    LEASE_MS,
    batches_under_way,
    entry_fields,
    remove_waiting,
)
from entroscope.broker.rows import (
    Frames,
    NewRun,
    Row,
    Unreadable,
    UnreadableRun,
    read_row,
    read_unreadable,
    stored_fields,
)
from entroscope.broker.transactions import guarded, guarded_always
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import decode_sums
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import NotFound
from entroscope.protocol.states import FINAL, State

log = logging.getLogger("entroscope")

#: Runs that can be read, and those that cannot.
Rows = tuple[list[Row], list[Unreadable]]
STATES = frozenset(state.value for state in State)


class RunStore:
    """The live runs in Redis."""

    def __init__(self, redis: Redis, lease_ms: int = LEASE_MS) -> None:
        self._redis, self._lease_ms = redis, lease_ms
        self._told: set[str] = set()  # of which unreadable runs

    def create(
        self,
        plan: Plan,
        *,
        parent: str | None = None,
        extends: str | None = None,
        reuse: Mapping[int, Frames] | None = None,
        run: str | None = None,
        reserved: int = 0,
    ) -> Row:
        """Make a run and queue its first batch.

        Args:
            reserved: bytes that it may come to take.
            run: the id it is to have, where the caller must know it before.
            reuse: batches that are known already; where they suffice the run is done at once.
        """
        new = NewRun(run or uuid.uuid4().hex, plan, parent, extends, reserved, reuse or {})
        self.create_all([new])
        return self.get(new.id)

    def create_all(
        self, new: Sequence[NewRun], beside: Callable[[Pipeline], object] = lambda _: None
    ) -> None:
        """Make several runs, all of them or none, in order; none where one is there already.

        Args:
            beside: writes what is to be there if and only if the runs are.
        """
        states = _states(self._redis)
        ahead = Counter(model for _, model, state in states if state not in FINAL)
        ends = [_end_of(each) for each in new]
        keys = [run_key(each.id) for each in new]

        def write(pipe: Pipeline) -> None:
            made = bool(pipe.exists(*keys))
            pipe.multi()
            if not made:
                _write_new(pipe, new, ends, ahead.copy())
                beside(pipe)

        guarded(self._redis, write, *keys)

    def get(self, run: str) -> Row:
        """Return one run.

        Raises:
            NotFound: it is none of the live runs.
        """
        fields: Any = self._redis.hgetall(run_key(run))
        if not fields:
            raise NotFound(f"no run {run!r}")
        return read_row(run, fields)

    def exists(self, run: str) -> bool:
        """Return whether it is one of the live runs, be it readable or not."""
        return bool(self._redis.exists(run_key(run)))

    def list(self) -> list[Row]:
        """Return all live runs that can be read, newest first."""
        return self.read()[0]

    def read(self) -> Rows:
        """Return all live runs, newest first, and those that cannot be read apart."""
        keys: Any = self._redis.zrevrange(RUNS, 0, -1)
        ids = [key.decode() for key in keys]
        with self._redis.pipeline(transaction=False) as pipe:
            for run in ids:
                pipe.hgetall(run_key(run))
            hashes = pipe.execute()
        rows, unreadable = [], []
        for run, fields in zip(ids, hashes, strict=True):
            try:
                if fields:
                    rows.append(read_row(run, fields))
            except UnreadableRun as error:
                unreadable.append(read_unreadable(run, fields, error))
                self._tell(run, str(error))
        return rows, unreadable

    def _tell(self, run: str, text: str) -> None:
        if run not in self._told:
            self._told.add(run)
            log.warning("%s", text)

    def reserved(self) -> int:
        """Return the bytes that all live runs together may come to take."""
        sizes: Any = self._redis.hvals(RESERVED)
        return sum(map(int, sizes))

    def sums(self, run: str) -> dict[int, bytes]:
        """Return the sums frame of every finished batch."""
        frames: Any = self._redis.hgetall(sums_key(run))
        return {int(batch): frame for batch, frame in frames.items()}

    def measured(self, row: Row) -> int:
        """Return how many trajectories a run's finished batches have."""
        sizes = row.plan.batches
        return sum(sizes[batch][1] for batch in self.measured_batches(row.id))

    def measured_batches(self, run: str) -> set[int]:
        """Return which batches of a run are finished."""
        batches: Any = self._redis.hkeys(sums_key(run))
        return {int(batch) for batch in batches}

    def values(self, run: str) -> dict[int, bytes]:
        """Return the values frame of every finished batch."""
        frames: Any = self._redis.hgetall(values_key(run))
        return {int(batch): frame for batch, frame in frames.items()}

    def forget(self, run: str) -> None:
        """Delete all that is known of a run; a worker that still works on it will notice."""
        model: Any = self._redis.hget(run_key(run), "model")
        keys = (key(run) for key in (run_key, log_key, sums_key, values_key, attempts_key))
        self._redis.delete(*keys)  # one command: a full Redis takes no transaction
        self._redis.zrem(RUNS, run)
        self._redis.hdel(RESERVED, run)
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
        cancel = partial(self._cancel, run=run)
        receipt = guarded_always(self._redis, cancel, run_key(run))
        if receipt["effect"] in ("removed", "stopped"):
            remove_waiting(self._redis, model.decode(), run)
        return receipt

    def forgive(self) -> None:
        """Forget attempts: all workers ended with their parent, and no batch is to blame."""
        for run, _, _ in _states(self._redis):
            self._redis.delete(attempts_key(run))

    def _cancel(self, pipe: Pipeline, run: str) -> dict[str, Any]:
        fields: Any = pipe.hmget(run_key(run), "state", "model")
        if None in fields:
            raise NotFound(f"no run {run!r}")
        if fields[0].decode() not in STATES:
            raise UnreadableRun(run, f"its state is {fields[0].decode()!r}")
        state, model = State(fields[0].decode()), fields[1].decode()
        batches = batches_under_way(self._redis, model, run, self._lease_ms)
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
        hashes = pipe.execute()
    return [
        (run, model.decode(), State(state.decode()))
        for run, (model, state) in zip(ids, hashes, strict=True)
        if model is not None and state is not None and state.decode() in STATES
    ]


def _end_of(new: NewRun) -> GoodEnd | None:
    """Return how a run ends whose known batches suffice, or None where it needs more."""
    if not new.reuse:
        return None
    fold = Fold(new.plan)
    for _, (sums, _) in sorted(new.reuse.items()):
        fold.add_record(*decode_sums(sums))
    return good_end(fold)


def _write_new(
    pipe: Pipeline, new: Sequence[NewRun], ends: Sequence[GoodEnd | None], ahead: Counter[str]
) -> None:
    """Queue all that is stored of new runs.

    Args:
        ahead: unfinished runs of each model; counts the new ones, too.
    """
    now_ms = time.time_ns() / 1e6
    for index, (each, end) in enumerate(zip(new, ends, strict=True)):
        name = each.plan.info.name
        fields: Any = stored_fields(each, int(now_ms) + index)
        pipe.hset(run_key(each.id), mapping=fields)
        pipe.zadd(RUNS, {each.id: now_ms + index / 1000})
        pipe.hset(RESERVED, each.id, each.reserved)
        EventLog(pipe).begin(each.id, "queued", {"position": ahead[name]})
        _queue_first(pipe, each, end)
        ahead[name] += 1


def _queue_first(pipe: Pipeline, new: NewRun, end: GoodEnd | None) -> None:
    """Queue the first batch that is not known, or the end of a run that needs none."""
    run, plan = new.id, new.plan
    for batch, (sums, values) in sorted(new.reuse.items()):
        pipe.hset(sums_key(run), str(batch), sums)
        pipe.hset(values_key(run), str(batch), values)
        EventLog(pipe).append(run, "batch", {"batch": batch}, sums)
    if end is not None:
        write_done(pipe, run, end)
        return
    first = next(b for b in range(len(plan.batches)) if b not in new.reuse)
    pipe.hset(run_key(run), "queued", first)
    pipe.xadd(queue_key(plan.info.name), entry_fields(run, first))
