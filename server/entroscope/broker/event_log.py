"""The event log of a run: a stream that anyone may join at any time and follow from any place."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from entroscope.broker.keys import log_key
from entroscope.protocol.frames import finite

START = "0-0"
_ENTRY_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered entry of a log.

    Attributes:
        type: queued, started, point, preview, batch, checks, done, failed or cancelled.
        data: a frame, for point, preview and batch.
    """

    id: str
    type: str
    document: dict[str, Any]
    data: bytes


def is_entry_id(text: str) -> bool:
    """Return whether a text from outside can name a place in a log."""
    return _ENTRY_ID.fullmatch(text) is not None


class EventLog:
    """The logs of all runs. Over a pipeline, `append` queues the entry there."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def begin(self, run: str, type: str, document: Mapping[str, Any]) -> None:
        """Write the first entry of a run's log."""
        self._redis.xadd(log_key(run), _fields(type, document, b""))

    def append(
        self, run: str, type: str, document: Mapping[str, Any], data: bytes = b""
    ) -> str | None:
        """Add an entry and return its id, or None where the run is gone: its log stays gone."""
        fields = _fields(type, document, data)
        entry: Any = self._redis.xadd(log_key(run), fields, nomkstream=True)
        return entry.decode() if isinstance(entry, bytes) else None

    def read(self, run: str, after: str = START, count: int = 1000) -> list[Entry]:
        """Return the next entries of one log, without waiting."""
        reply: Any = self._redis.xrange(log_key(run), min=f"({after}", count=count)
        return [_entry(key, fields) for key, fields in reply]

    def follow(self, cursors: Mapping[str, str], block_ms: int) -> dict[str, list[Entry]]:
        """Return what came after each run's cursor; wait up to block_ms where there is nothing."""
        if not cursors:
            return {}
        streams: dict[Any, Any] = {log_key(run): after for run, after in cursors.items()}
        reply: Any = self._redis.xread(streams, count=1000, block=block_ms or None)
        runs = {log_key(run).encode(): run for run in cursors}
        return {runs[key]: [_entry(*item) for item in items] for key, items in reply or ()}


def _fields(type: str, document: Mapping[str, Any], data: bytes) -> dict[Any, Any]:
    text = json.dumps(finite(document), separators=(",", ":"), allow_nan=False)
    return {"type": type, "doc": text, "data": data}


def _entry(key: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    document = json.loads(fields[b"doc"])
    return Entry(key.decode(), fields[b"type"].decode(), document, fields[b"data"])
