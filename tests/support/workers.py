"""Workers for tests: in a thread, or as processes that can be killed."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes import record_of

from entroscope.broker.event_log import EventLog
from entroscope.broker.rows import Row
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.records import decode_sums
from entroscope_workers.worker.worker import Worker

SCRIPT = Path(__file__).with_name("fake_worker.py")
Process = subprocess.Popen[bytes]


@contextmanager
def running(worker: Worker) -> Iterator[None]:
    """Let a worker work in a thread."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


class Crew:
    """Worker processes against one Redis; none outlives the crew."""

    def __init__(self, url: str) -> None:
        self._url, self.processes = url, dict[str, Process]()

    def start(self, name: str, **options: Any) -> Process:
        """Start a worker process with the options of fake_worker.py."""
        given = {"url": self._url, "name": name, **options}
        command = [sys.executable, str(SCRIPT), json.dumps(given)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.processes[name] = process
        return process

    def dismiss(self) -> None:
        """Kill whoever is left."""
        for process in self.processes.values():
            process.kill()
            end(process)


def end(process: Process) -> str:
    """Wait for a process to end and return what it said."""
    _, said = process.communicate(timeout=30)
    return said.decode()


def moments_of(store: RunStore, run: str) -> dict[int, dict[str, list[bytes]]]:
    """Return all sums of a run, to the bit."""
    return {batch: bits_of(frame) for batch, frame in sorted(store.sums(run).items())}


def undisturbed(row: Row) -> dict[int, dict[str, list[bytes]]]:
    """Return what a run must come to that nobody disturbs."""
    plan = row.plan
    return {b: bits_of(record_of(plan, b).encode()[0]) for b in range(len(plan.batches))}


def bits_of(frame: bytes) -> dict[str, list[bytes]]:
    """Return the sums in a frame, to the bit."""
    parts = ("n", "total", "square", "profile", "profile_square")
    _, moments, _ = decode_sums(frame)
    return {key: [getattr(m, part).tobytes() for part in parts] for key, m in moments.items()}


def points_of(log: EventLog, run: str) -> list[tuple[int, int]]:
    """Return (batch, step) of every point in a run's log."""
    entries = [e for e in log.read(run, count=100_000) if e.type == "point"]
    return [(entry.document["batch"], entry.document["step"]) for entry in entries]
