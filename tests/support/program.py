"""The whole program as its own processes, as `entroscope` starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from waiting import eventually

COMMAND = (sys.executable, "-m", "entroscope")
#: The program loads torch and its models; the machine may be busy.
START_S = 120.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program that answers.

    Attributes:
        address: of the page.
        http: a client of it.
        log: what it has printed, all of its processes together.
    """

    address: str
    http: httpx.Client
    process: subprocess.Popen[bytes]
    log: Path

    def descendants(self) -> set[int]:
        """Return the process ids of the program's children and theirs (Linux)."""
        found, fresh = set[int](), {self.process.pid}
        while fresh:
            fresh = {child for parent in fresh for child in _children(parent)} - found
            found |= fresh
        return found


def _children(pid: int) -> list[int]:
    text = ""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        text += task.read_text() + " "
    return [int(word) for word in text.split()]


def alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def program(folder: Path, *options: str, threads: int | None = 1) -> Iterator[Program]:
    """Start server, worker and local Redis; stop them at the end unless they were already.

    Args:
        threads: of torch in the worker; None is torch's own choice.
    """
    log = folder / "log"
    arguments = ("--no-browser", "--port", "0", "--data-dir", str(folder / "data"), *options)
    env = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    env |= {"OMP_NUM_THREADS": str(threads)} if threads else {}
    with log.open("w") as output:
        process = subprocess.Popen(
            (*COMMAND, *arguments),
            stdout=output,
            stderr=output,
            env=env,
            preexec_fn=_hear_hang_ups,
        )
        try:
            address = eventually(lambda: _printed_address(log, process), START_S)
            assert address is not None
            with httpx.Client(base_url=address, timeout=60) as http:
                eventually(lambda: http.get("/api/workers").json()["workers"], START_S)
                yield Program(address, http, process, log)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _hear_hang_ups() -> None:
    """Undo what nohup does to the tests, so that the program is as in a terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _printed_address(log: Path, process: subprocess.Popen[bytes]) -> str | None:
    assert process.poll() is None, log.read_text()
    for line in log.read_text().splitlines():
        if line.startswith("Entroscope: "):
            return line.split()[1]
    return None
