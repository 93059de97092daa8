"""The record of a finished batch on its way into Redis, and with the last one the end of the run.

Records are folded and checked before the transaction that stores them. The transaction writes
nothing where the records it sees are not those that were folded: then prepare and write again.
"""

from typing import Any

from redis import Redis
from redis.client import Pipeline

from entroscope.broker.endings import GoodEnd, good_end, write_done
from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import run_key, sums_key, values_key
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Record, decode_sums
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.states import State

#: Entries of runs in another state, be it one of a later version, are passed over.
UNFINISHED = frozenset({State.QUEUED.value, State.RUNNING.value})


class Completion:
    """One record; the first one of a batch counts, of a run that has not ended."""

    def __init__(self, redis: Redis, run: str, batch: int, plan: Plan, record: Record) -> None:
        self._redis, self._run, self._batch, self._plan = redis, run, batch, plan
        self._sums, self._values = record.encode()
        self._folded: frozenset[int] | None = None
        self._end: GoodEnd | None = None

    def prepare(self) -> None:
        """Work out whether the run ends with this record, and how."""
        batches: Any = self._redis.hkeys(sums_key(self._run))
        if not self._may_be_last(_numbers(batches)):
            return
        records: Any = self._redis.hgetall(sums_key(self._run))
        fold = Fold(self._plan)
        for frame in (*records.values(), self._sums):
            fold.add_record(*decode_sums(frame))
        self._folded, self._end = _numbers(records), good_end(fold)

    def write(self, pipe: Pipeline) -> bool:
        """Queue what is to be stored; return False where it must be prepared again."""
        state: Any = pipe.hget(run_key(self._run), "state")
        batches: Any = pipe.hkeys(sums_key(self._run))
        stored = _numbers(batches)
        wanted = is_running(state) and self._batch not in stored
        may_be_last = wanted and self._may_be_last(stored)
        pipe.multi()
        if may_be_last and stored != self._folded:
            return False
        if wanted:
            self._store(pipe)
        if may_be_last and self._end is not None:
            write_done(pipe, self._run, self._end)
        return True

    def _may_be_last(self, stored: frozenset[int]) -> bool:
        early = self._plan.spec.target_se_bits is not None
        return early or len(stored) + 1 >= len(self._plan.batches)

    def _store(self, pipe: Pipeline) -> None:
        batch = str(self._batch)
        pipe.hset(sums_key(self._run), batch, self._sums)
        pipe.hset(values_key(self._run), batch, self._values)
        EventLog(pipe).append(self._run, "batch", {"batch": self._batch}, self._sums)


def is_running(state: Any) -> bool:
    """Return whether a run that has this state in Redis is there and has not ended."""
    return state is not None and state.decode() in UNFINISHED


def _numbers(batches: Any) -> frozenset[int]:
    return frozenset(int(batch) for batch in batches)
