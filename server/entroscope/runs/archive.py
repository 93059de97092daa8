"""Finished runs on disk: one folder a run, written under another name and then renamed."""

import json
import logging
import os
import re
import shutil
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from entroscope.broker.rows import Unreadable, UnreadableRun
from entroscope.protocol.errors import NotFound
from entroscope.protocol.states import State
from entroscope.runs.archive_files import Finished, files_of, frames_of
from entroscope.streaming.projection import Frame, event_frame

log = logging.getLogger("entroscope")

#: Name of a folder that is being written or deleted starts with this.
UNFINISHED = ".unfinished-"
RUN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """What the index knows of a run; sorted by age."""

    created_ms: int
    id: str
    model: str
    state: str
    spec_hash: str
    parent: str | None


class Archive:
    """The finished runs in a folder. One process at a time may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._index: dict[str, Listed] = {}

    def start(self) -> None:
        """Make the folder, clear what was left unfinished, and read the index."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in self._folder.iterdir():
            if folder.name.startswith(UNFINISHED):
                _remove(folder)
            elif (folder / "run.json").is_file():
                self._read_listed(folder)

    def add(self, run: str, finished: Finished) -> None:
        """Keep a run; nothing of it is seen before all of it is there."""
        temporary = self._folder / f"{UNFINISHED}{run}"
        if temporary.exists():
            _remove(temporary)
        (temporary / "previews").mkdir(parents=True)
        for name, content in files_of(finished):
            _write(temporary / name, content)
        with self._lock:
            os.replace(temporary, self._folder / run)
            _sync(self._folder)
            self._index[run] = _listed(finished.document)

    def delete(self, run: str) -> None:
        """Remove a run.

        Raises:
            NotFound: it is not here.
        """
        with self._lock:
            self._check(run)
            del self._index[run]
            aside = self._folder / f"{UNFINISHED}{run}"
            os.replace(self._folder / run, aside)
        shutil.rmtree(aside)

    def __contains__(self, run: str) -> bool:
        return run in self._index

    def listed(self) -> list[Listed]:
        """Return what is here, newest first."""
        with self._lock:
            return sorted(self._index.values(), reverse=True)

    def document(self, run: str) -> dict[str, Any]:
        """Return a run's document, and "info", the model."""
        with _readable(run):
            document: dict[str, Any] = json.loads(self._read(run, "run.json"))
            _listed(document)
        return document

    def unreadable(self, run: str, error: UnreadableRun) -> Unreadable:
        """Return what the index knows of a run whose file was damaged."""
        listed = self._index[run]
        return Unreadable(run, listed.created_ms, listed.model, listed.parent, str(error))

    def result(self, run: str) -> dict[str, Any] | None:
        """Return a run's result, or None where it ended before its first batch did."""
        self._check(run)
        if not (self._folder / run / "result.json").is_file():
            return None
        with _readable(run):
            document: dict[str, Any] = json.loads(self._read(run, "result.json"))
        return document

    def equal_run(self, spec_hash: str) -> str | None:
        """Return the newest good run of a spec."""
        equal = (r for r in self.listed() if r.spec_hash == spec_hash and r.state == State.DONE)
        return next((listed.id for listed in equal), None)

    def preview(self, run: str, step: int) -> bytes:
        """Return the picture of one step."""
        return self._read(run, f"previews/{step}.jpg")

    def events(self, run: str) -> list[Frame]:
        """Return the events, with their pictures."""
        with _readable(run):
            events = [json.loads(line) for line in self._read(run, "events.jsonl").splitlines()]
            return [event_frame(event, self._picture(run, event)) for event in events]

    def frames(self, run: str) -> dict[int, tuple[bytes, bytes]]:
        """Return sums and values of every batch, as in Record.encode(); {} without any."""
        self._check(run)
        if not (self._folder / run / "sums.bin").is_file():
            return {}
        with _readable(run):
            return frames_of(self._read(run, "sums.bin"), self._read(run, "values.npz"))

    def _picture(self, run: str, event: Mapping[str, Any]) -> bytes | None:
        return self.preview(run, int(event["step"])) if event["type"] == "preview" else None

    def _check(self, run: str) -> None:
        if run not in self._index:
            raise NotFound(f"no run {run!r}")

    def _read(self, run: str, name: str) -> bytes:
        self._check(run)
        try:
            return (self._folder / run / name).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"run {run!r} has no {name}") from None

    def _read_listed(self, folder: Path) -> None:
        try:
            listed = _listed(json.loads((folder / "run.json").read_bytes()))
        except (ValueError, KeyError, TypeError) as error:
            if not RUN_ID.fullmatch(folder.name):
                log.warning("archive: %s is not a run, left alone: %r", folder, error)
                return
            log.warning("archive: %s cannot be read, shown as failed: %r", folder, error)
            created_ms = int(folder.stat().st_mtime * 1000)
            listed = Listed(created_ms, folder.name, "", State.FAILED.value, "", None)
        self._index[folder.name] = listed


@contextmanager
def _readable(run: str) -> Iterator[None]:
    """Raise UnreadableRun where a file of a run turns out to be damaged."""
    try:
        yield
    except (ValueError, KeyError, TypeError, struct.error, EOFError, BadZipFile) as error:
        raise UnreadableRun(run, error) from error


def _listed(document: Mapping[str, Any]) -> Listed:
    names = ("created_ms", "id", "model", "state", "spec_hash", "parent")
    listed = Listed(*(document[name] for name in names))
    State(listed.state)
    if not isinstance(listed.created_ms, int):
        raise ValueError(f"created_ms must be a whole number, got {listed.created_ms!r}")
    return listed


def _remove(path: Path) -> None:
    """Remove a folder or a file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make a renaming outlast a power cut, where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
