"""Sweeps: born in Redis together with their runs, then kept on disk, one file each."""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.client import Pipeline

from entroscope.broker.keys import SWEEPS
from entroscope.protocol.errors import NotFound

log = logging.getLogger("entroscope")


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A sweep as it was sent, and the runs that were made of it, in the order of `vary`."""

    id: str
    created_ms: int
    title: str
    spec: Mapping[str, Any]
    vary: tuple[Mapping[str, Any], ...]
    runs: tuple[str, ...]


class SweepStore:
    """The sweeps in a folder, and those in Redis that did not get there yet.

    One process at a time may use the folder.
    """

    def __init__(self, redis: Redis, folder: Path) -> None:
        self._redis, self._folder = redis, folder
        self._kept: dict[str, SweepRow] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Read what is in the folder."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                row = _read(path.read_bytes())
            except (ValueError, KeyError, TypeError) as error:
                log.warning("archive: %s is not a sweep, left alone: %r", path, error)
                continue
            self._kept[row.id] = row

    def birth(self, row: SweepRow) -> Callable[[Pipeline], object]:
        """Return what writes a sweep in the transaction that makes its runs."""
        return lambda pipe: pipe.hset(SWEEPS, row.id, _document(row))

    def _born(self) -> list[SweepRow]:
        born: Any = self._redis.hvals(SWEEPS)
        return [_read(document) for document in born]

    def keep(self) -> None:
        """Move sweeps to the folder; one that cannot be written stays in Redis until the next time.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            for row in self._born():
                self._folder.mkdir(parents=True, exist_ok=True)
                _write(self._path(row.id), _document(row))
                self._kept[row.id] = row
                self._redis.hdel(SWEEPS, row.id)

    def get(self, sweep: str) -> SweepRow:
        """Return one sweep.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            if sweep in self._kept:
                return self._kept[sweep]
            born: Any = self._redis.hget(SWEEPS, sweep)
        if born is None:
            raise NotFound(f"no sweep {sweep!r}")
        return _read(born)

    def delete(self, sweep: str) -> None:
        """Forget a sweep; its runs stay."""
        with self._lock:
            self._redis.hdel(SWEEPS, sweep)
            if self._kept.pop(sweep, None):
                self._path(sweep).unlink(missing_ok=True)

    def _path(self, sweep: str) -> Path:
        return self._folder / f"{sweep}.json"

    def list(self) -> list[SweepRow]:
        """Return all sweeps, newest first."""
        with self._lock:
            rows = {row.id: row for row in self._born()} | self._kept
        return sorted(rows.values(), key=lambda row: (row.created_ms, row.id), reverse=True)


def _document(row: SweepRow) -> bytes:
    return json.dumps({"schema": 1} | asdict(row), separators=(",", ":")).encode()


def _read(document: bytes) -> SweepRow:
    fields = json.loads(document)
    return SweepRow(
        id=fields["id"],
        created_ms=fields["created_ms"],
        title=fields["title"],
        spec=fields["spec"],
        vary=tuple(fields["vary"]),
        runs=tuple(fields["runs"]),
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    temporary = path.with_suffix(".unfinished")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
