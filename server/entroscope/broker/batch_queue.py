"""The queue of batches: taken in turn between runs, redelivered when a worker dies, counted once.

An entry of a model's stream is {run, batch}. Beginning the last queued batch of a run appends its
next one, so runs alternate and several workers share one run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from entroscope.broker.completion import Completion, is_running
from entroscope.broker.endings import now_ms, write_end
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import GROUP, attempts_key, queue_key, run_key, sums_key
from entroscope.broker.plans import read_plan
from entroscope.broker.queue_entries import LEASE_MS, entry_fields
from entroscope.broker.queue_reader import Delivery, QueueReader, remove_entry
from entroscope.broker.run_store import RunStore
from entroscope.broker.transactions import guarded, guarded_always
from entroscope.measurement.curves.records import Record
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError
from entroscope.protocol.states import State

#: A batch that was begun this often and never came to an end fails its run.
MAX_ATTEMPTS = 3
#: State and last event of a run.
End = tuple[State, dict[str, Any]]
TIMES = {1: "once", 2: "twice", 3: "three times"}


class Lease(Enum):
    """What became of the lease that a worker has on a batch."""

    #: It is still the worker's.
    HELD = auto()
    #: Somebody asked to cancel the run.
    CANCELLED = auto()
    #: Another worker has it, or the run has ended or is gone.
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that a worker has begun; `entry` is its id in the model's stream."""

    run: str
    batch: int
    plan: Plan
    model: str
    worker: str
    entry: bytes


class BatchQueue:
    """The queues of all models.

    Args:
        lease_ms: a batch whose lease was not renewed for this long is redelivered.
    """

    def __init__(
        self, redis: Redis, *, lease_ms: int = LEASE_MS, max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        self._redis, self.lease_ms, self._max_attempts = redis, lease_ms, max_attempts
        self._reader = QueueReader(redis, lease_ms)

    def take(
        self, worker: str, models: Sequence[str], block_ms: int, device: str = ""
    ) -> Taken | None:
        """Begin a batch of one of the models, or return None when none came within block_ms."""
        while (delivery := self._reader.next(worker, models, block_ms)) is not None:
            begin = partial(self._begin, delivery=delivery, device=device)
            taken = guarded(self._redis, begin, run_key(delivery.run))
            if taken is not None:
                return taken
        return None

    def renew(self, taken: Taken) -> Lease:
        """Keep a batch for another `lease_ms`, and say whether to go on."""
        fields: Any = self._redis.hmget(run_key(taken.run), "state", "cancel")
        state, cancel = fields
        if not is_running(state) or not self._is_held(taken):
            return Lease.LOST
        key = queue_key(taken.model)
        self._redis.xclaim(key, GROUP, taken.worker, 0, [taken.entry], justid=True)
        return Lease.HELD if cancel is None else Lease.CANCELLED

    def complete(self, taken: Taken, record: Record) -> None:
        """Store the record of a batch unless it has one; end the run where that was the last."""
        completion = Completion(self._redis, taken.run, taken.batch, taken.plan, record)

        def write(pipe: Pipeline) -> bool:
            written = completion.write(pipe)
            if written:
                remove_entry(pipe, taken)
            return written

        completion.prepare()
        while not guarded(self._redis, write, run_key(taken.run), sums_key(taken.run)):
            completion.prepare()

    def give_back(self, taken: Taken) -> None:
        """Let another worker have a batch at once; this was no attempt."""
        if self._is_held(taken):
            self._return(taken, queue=True)

    def let_go(self, taken: Taken) -> None:
        """Stop on a batch whose lease was lost: its worker lives, so this was no attempt."""
        self._return(taken, queue=False)

    def fail(self, taken: Taken, reason: str) -> None:
        """End the run of a batch that cannot be computed."""
        self._end(taken, State.FAILED, {"reason": reason})

    def cancelled(self, taken: Taken, step: int | None) -> None:
        """End a run that was asked to, after this step of this batch."""
        self._end(taken, State.CANCELLED, {"batch": taken.batch, "step": step})

    def position(self, run: str) -> int:
        """Return how many unfinished runs of its model are ahead of a run; 0 once it has begun."""
        return RunStore(self._redis).positions().get(run, 0)

    def _begin(self, pipe: Pipeline, delivery: Delivery, device: str) -> Taken | None:
        run, batch = delivery.run, str(delivery.batch)
        fields: Any = pipe.hgetall(run_key(run))
        if not is_running(fields.get(b"state")):
            pipe.multi()
            remove_entry(pipe, delivery)
            return None
        attempts: Any = pipe.hget(attempts_key(run), batch)
        end = self._early_end(fields, delivery.batch, int(attempts or 0))
        plan = end or _readable_plan(fields)
        if not isinstance(plan, Plan):
            pipe.multi()
            write_end(pipe, run, *plan)
            remove_entry(pipe, delivery)
            return None
        known = bool(pipe.hexists(sums_key(run), batch))
        newest = int(fields[b"queued"]) == delivery.batch
        following = _following(pipe, delivery, plan) if newest else None
        pipe.multi()
        if following is not None:
            pipe.hset(run_key(run), "queued", following)
            pipe.xadd(queue_key(delivery.model), entry_fields(run, following))
        if known:
            remove_entry(pipe, delivery)
            return None
        _write_begin(pipe, delivery, device, first=fields[b"state"] == State.QUEUED.value.encode())
        return Taken(run, delivery.batch, plan, delivery.model, delivery.worker, delivery.entry)

    def _early_end(self, fields: dict[bytes, bytes], batch: int, attempts: int) -> End | None:
        """Return how a run ends instead of having this batch begun, or None."""
        if b"cancel" in fields:
            return State.CANCELLED, {"batch": batch, "step": None}
        if attempts >= self._max_attempts:
            times = TIMES.get(attempts, f"{attempts} times")
            return State.FAILED, {"reason": f"batch {batch} killed its worker {times}"}
        return None

    def _return(self, taken: Taken, *, queue: bool) -> None:
        def change(pipe: Pipeline) -> None:
            run, batch = taken.run, str(taken.batch)
            state = pipe.hget(run_key(run), "state")
            wanted = is_running(state) and not pipe.hexists(sums_key(run), batch)
            pipe.multi()
            if wanted:
                pipe.hincrby(attempts_key(run), batch, -1)
            if queue and wanted:
                pipe.xadd(queue_key(taken.model), entry_fields(run, taken.batch))
            if queue:
                remove_entry(pipe, taken)

        guarded(self._redis, change, run_key(taken.run))

    def _end(self, taken: Taken, state: State, document: dict[str, Any]) -> None:
        def end(pipe: Pipeline) -> None:
            current = pipe.hget(run_key(taken.run), "state")
            pipe.multi()
            if is_running(current):
                write_end(pipe, taken.run, state, document)
            remove_entry(pipe, taken)

        guarded_always(self._redis, end, run_key(taken.run))

    def _is_held(self, taken: Taken) -> bool:
        pending: Any = self._redis.xpending_range(
            queue_key(taken.model), GROUP, min=taken.entry, max=taken.entry, count=1
        )
        return bool(pending) and pending[0]["consumer"] == taken.worker.encode()


def _readable_plan(fields: dict[bytes, bytes]) -> Plan | End:
    """Return the plan of a run, or how the run ends where this version cannot read its spec."""
    try:
        return read_plan(fields[b"spec"], fields[b"info"])
    except (ValidationError, SpecError) as error:
        reason = str(error).splitlines()[0]
        return State.FAILED, {"reason": f"the workers cannot read its spec: {reason}"}


def _following(pipe: Pipeline, delivery: Delivery, plan: Plan) -> int | None:
    """Return the next batch of a run that has no record yet (it may reuse another run's)."""
    batch = delivery.batch + 1
    while batch < len(plan.batches):
        if not pipe.hexists(sums_key(delivery.run), str(batch)):
            return batch
        batch += 1
    return None


def _write_begin(pipe: Pipeline, delivery: Delivery, device: str, *, first: bool) -> None:
    run, batch = delivery.run, delivery.batch
    pipe.hincrby(attempts_key(run), str(batch), 1)
    if first:
        pipe.hset(run_key(run), mapping={"state": State.RUNNING.value, "started_ms": now_ms()})
    event = {"worker": delivery.worker, "device": device, "batch": batch}
    EventLog(pipe).append(run, "started", event)
