"""A worker: takes batches, publishes what they yield, stops when told. It knows no physics."""

import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from entroscope.broker.batch_queue import MAX_ATTEMPTS, BatchQueue, Lease, Taken
from entroscope.broker.endings import now_ms
from entroscope.broker.event_log import EventLog
from entroscope.broker.presence import WorkerInfo
from entroscope.broker.queue_entries import LEASE_MS
from entroscope.measurement.curves.records import Pause, Payload, Record
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.presets import RunPreset
from entroscope_workers.worker.heartbeat import Heartbeat, Outage
from entroscope_workers.worker.publisher import Publisher

if TYPE_CHECKING:
    from entroscope_workers.models.base import Model
    from entroscope_workers.sampling.loaded_model import LoadedModel

RunBatch = Callable[[Plan, int, Any], Iterator[Payload]]
T = TypeVar("T")

BLOCK_MS = 1000
RETRY_S = 0.5


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class BatchFailed(Exception):
    """A batch cannot be computed; the text is the reason."""


class Worker:
    """Works for all runs of its models until it is stopped.

    Args:
        models: by name.
        run_batch: what computes a batch; the runner's unless given.
        infos: what to announce of each model, by name; its own `info` unless given.
        presets: runs and sweeps to offer, whether or not this worker has their models.
        lease_ms, max_attempts: as in BatchQueue.
        say: prints a line for the operator.
    """

    def __init__(
        self,
        redis: Redis,
        models: Mapping[str, "Model | LoadedModel"],
        name: str,
        device: str,
        *,
        run_batch: RunBatch | None = None,
        infos: Mapping[str, ModelInfo] | None = None,
        presets: Sequence[RunPreset] = (),
        lease_ms: int = LEASE_MS,
        max_attempts: int = MAX_ATTEMPTS,
        say: Callable[[str], None] = _say,
    ) -> None:
        self._models, self._name, self._device, self._say = models, name, device, say
        self._run_batch = run_batch or _runner()
        self._queue = BatchQueue(redis, lease_ms=lease_ms, max_attempts=max_attempts)
        self._log, self._outage = EventLog(redis), Outage(say)
        self._block_ms = min(BLOCK_MS, lease_ms)
        self._stopped = threading.Event()
        info = WorkerInfo(
            name=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            device=device,
            models=[(infos or {}).get(key, model.info) for key, model in models.items()],
            since_ms=now_ms(),
        )
        self._heartbeat = Heartbeat(redis, self._queue, info, self._outage, presets)

    def run(self) -> None:
        """Work until `stop`, SIGTERM or SIGINT; then give the batch back and leave."""
        with _signals(self._on_signal), self._heartbeat:
            while not self._stopped.is_set():
                taken = self._insist(self._take)
                if taken is not None:
                    self._work(taken)

    def stop(self) -> None:
        """Leave at the next step."""
        self._stopped.set()

    def _on_signal(self) -> None:
        if self._stopped.is_set():
            raise KeyboardInterrupt
        self.stop()

    def _take(self) -> Taken | None:
        return self._queue.take(self._name, list(self._models), self._block_ms, self._device)

    def _work(self, taken: Taken) -> None:
        self._heartbeat.hold(taken)
        try:
            with closing(self._payloads(taken)) as payloads:
                self._publish(taken, payloads)
        except BatchFailed as error:
            self._say(f"run {taken.run}, batch {taken.batch} failed: {error}")
            self._insist(partial(self._queue.fail, taken, str(error)))
        finally:
            self._heartbeat.hold(None)

    def _publish(self, taken: Taken, payloads: Iterator[Payload]) -> None:
        publisher = Publisher(self._log, taken.run, len(taken.plan.sigmas))
        for payload in payloads:
            if isinstance(payload, Record):
                self._insist(publisher.flush)
                self._insist(partial(self._queue.complete, taken, payload))
                return
            if not isinstance(payload, Pause):
                publisher.add(payload)
            leave = self._reason_to_leave(taken, publisher.step)
            if leave is not None:
                self._insist(leave)
                return
            self._try(publisher.flush)
        raise BatchFailed("the batch ended without a record")

    def _payloads(self, taken: Taken) -> Generator[Payload, None, None]:
        try:
            yield from self._run_batch(taken.plan, taken.batch, self._models[taken.model])
        except Exception as error:  # whatever a model raises fails its run, never the worker
            raise BatchFailed(_one_line(error)) from error

    def _reason_to_leave(self, taken: Taken, step: int | None) -> Callable[[], None] | None:
        if self._heartbeat.lease is Lease.CANCELLED:
            return partial(self._queue.cancelled, taken, step)
        if self._heartbeat.lease is Lease.LOST:
            return partial(self._queue.let_go, taken)
        if self._stopped.is_set():
            return partial(self._queue.give_back, taken)
        return None

    def _try(self, action: Callable[[], None]) -> None:
        """Do something that can wait, unless Redis is away."""
        if self._outage.lasts:
            return
        try:
            action()
        except RedisError as error:
            self._outage.seen(error)

    def _insist(self, action: Callable[[], T]) -> T | None:
        """Do something, however long Redis is away; give up only when stopped meanwhile."""
        while True:
            try:
                return action()
            except RedisError as error:
                self._outage.seen(error)
                if self._stopped.wait(RETRY_S):
                    return None


def worker_name() -> str:
    """Return a name that no other worker has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def _runner() -> RunBatch:
    from entroscope_workers.sampling.runner import run_batch

    return run_batch


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@contextmanager
def _signals(handle: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: handle()) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
