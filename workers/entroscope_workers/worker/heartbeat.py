"""The worker's second thread: renews its lease, announces it, and receives cancellations.

It is a thread of its own so that a busy batch does not delay it.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError

from entroscope.broker.batch_queue import BatchQueue, Lease, Taken
from entroscope.broker.connect import reason
from entroscope.broker.keys import CONTROL
from entroscope.broker.presence import Presence, WorkerInfo
from entroscope.protocol.presets import RunPreset

ANNOUNCE_S = 1.5
#: Longest wait for a message, so that the thread ends soon when asked.
LISTEN_S = 0.2
#: Leases are renewed this often within the time after which they lapse.
RENEWALS = 5


class Outage:
    """Says once that Redis is away, until it has been back."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lock, self.lasts = say, threading.Lock(), False

    def seen(self, error: RedisError) -> None:
        """Note that something failed."""
        with self._lock:
            first, self.lasts = not self.lasts, True
        if first:
            self._say(f"waiting for Redis: {reason(error)}")

    def over(self) -> None:
        """Note that something worked."""
        self.lasts = False


class Heartbeat:
    """Keeps one worker's lease and presence alive while its context lasts.

    Attributes:
        lease: what is known of the batch held.
    """

    def __init__(
        self,
        redis: Redis,
        queue: BatchQueue,
        info: WorkerInfo,
        outage: Outage,
        presets: Sequence[RunPreset] = (),
    ) -> None:
        self._redis, self._queue, self._info, self._outage = redis, queue, info, outage
        self._presets, self._brought = presets, False
        self._presence = Presence(redis)
        self._renew_s = queue.lease_ms / 1000 / RENEWALS
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._taken: Taken | None = None
        self._renew_at = self._announce_at = 0.0
        self._thread = threading.Thread(target=self._live, name="heartbeat", daemon=True)
        self.lease = Lease.HELD

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        try:
            self._presence.withdraw(self._info.name)
        except RedisError as lost:  # the announcement expires by itself
            self._outage.seen(lost)

    def hold(self, taken: Taken | None) -> None:
        """Keep this batch from now on, or none."""
        with self._lock:
            self._taken, self.lease = taken, Lease.HELD
            self._renew_at, self._announce_at = time.monotonic() + self._renew_s, 0.0

    def _live(self) -> None:
        while not self._ended.is_set():
            try:
                with self._control() as control:
                    control.subscribe(CONTROL)
                    self._listen(control)
            except RedisError as error:
                self._outage.seen(error)
                self._ended.wait(LISTEN_S)

    def _control(self) -> Any:
        redis: Any = self._redis
        return redis.pubsub(ignore_subscribe_messages=True)

    def _listen(self, control: Any) -> None:
        self._renew_at = 0.0  # a message may have been missed meanwhile
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= self._renew_at:
                self._renew_at = now + self._renew_s
                self._renew()
            if now >= self._announce_at:
                self._announce_at = now + ANNOUNCE_S
                self._announce()
            self._outage.over()
            due = min(self._renew_at, self._announce_at) - time.monotonic()
            message = control.get_message(timeout=min(LISTEN_S, max(0.0, due)))
            if message is not None:
                self._hear(json.loads(message["data"]))

    def _hear(self, message: dict[str, Any]) -> None:
        taken = self._taken
        if taken is not None and message.get("run") == taken.run:
            self._renew()

    def _renew(self) -> None:
        taken = self._taken
        if taken is None:
            return
        lease = self._queue.renew(taken)
        with self._lock:
            if self._taken is taken:
                self.lease = lease

    def _announce(self) -> None:
        if self._presets and (not self._brought or self._presence.lacks_presets()):
            self._presence.bring(self._presets)  # again, where Redis has come back without them
            self._brought = True
        taken = self._taken
        run, batch = (taken.run, taken.batch) if taken else (None, None)
        self._presence.announce(self._info.model_copy(update={"run": run, "batch": batch}))
