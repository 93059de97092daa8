"""How a worker finds its next batch among the streams of its models."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis import Redis
from redis.exceptions import ResponseError

from entroscope.broker.keys import GROUP, queue_key
from entroscope.broker.queue_entries import entry_fields

#: fakeredis answers a blocking read with COUNT at once: then ask again after this time.
EARLY_S = 0.05


class Queued(Protocol):
    """An entry of the stream of a model."""

    @property
    def model(self) -> str: ...

    @property
    def entry(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry that is leased to a worker."""

    model: str
    worker: str
    entry: bytes
    run: str
    batch: int


def remove_entry(pipe: Redis, queued: Queued) -> None:
    """Take an entry out of its stream for good."""
    pipe.xack(queue_key(queued.model), GROUP, queued.entry)
    pipe.xdel(queue_key(queued.model), queued.entry)


class QueueReader:
    """Reads the streams of several models, each in its turn."""

    def __init__(self, redis: Redis, lease_ms: int) -> None:
        self._redis, self._lease_ms = redis, lease_ms
        self._turn = 0

    def next(self, worker: str, models: Sequence[str], block_ms: int) -> Delivery | None:
        """Return the next entry for a worker: abandoned ones first, then new ones in order."""
        self._make_groups(models)
        self._turn += 1
        start = self._turn % len(models)
        order = [*models[start:], *models[:start]]
        for model in order:
            if (delivery := self._redelivered(model, worker)) is not None:
                return delivery
        for model in order:
            if (delivery := self._read([model], worker, None)) is not None:
                return delivery
        return self._wait(order, worker, block_ms)

    def _make_groups(self, models: Sequence[str]) -> None:
        for model in models:
            try:
                self._redis.xgroup_create(queue_key(model), GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def _redelivered(self, model: str, worker: str) -> Delivery | None:
        start = b"0-0"
        while True:
            reply: Any = self._redis.xautoclaim(
                queue_key(model), GROUP, worker, self._lease_ms, start, count=1
            )
            for entry, fields in reply[1]:
                if fields:  # Redis 6.2 reports deleted entries without any
                    return _delivery(model, worker, entry, fields)
            start = reply[0]
            if start == b"0-0":
                return None

    def _wait(self, models: Sequence[str], worker: str, block_ms: int) -> Delivery | None:
        deadline = time.monotonic() + block_ms / 1000
        while (left_s := deadline - time.monotonic()) > 0:
            delivery = self._read(models, worker, max(1, int(left_s * 1000)))
            if delivery is not None:
                return delivery
            time.sleep(min(EARLY_S, max(0.0, deadline - time.monotonic())))
        return None

    def _read(self, models: Sequence[str], worker: str, block_ms: int | None) -> Delivery | None:
        streams: dict[Any, Any] = {queue_key(model): ">" for model in models}
        reply: Any = self._redis.xreadgroup(GROUP, worker, streams, count=1, block=block_ms)
        names = {queue_key(model).encode(): model for model in models}
        deliveries = [
            _delivery(names[key], worker, *item) for key, items in reply or () for item in items
        ]
        for extra in deliveries[1:]:  # COUNT is per stream, but a worker holds one batch at a time
            with self._redis.pipeline() as pipe:
                pipe.xadd(queue_key(extra.model), entry_fields(extra.run, extra.batch))
                remove_entry(pipe, extra)
                pipe.execute()
        return deliveries[0] if deliveries else None


def _delivery(model: str, worker: str, entry: bytes, fields: dict[bytes, bytes]) -> Delivery:
    return Delivery(model, worker, entry, fields[b"run"].decode(), int(fields[b"batch"]))
