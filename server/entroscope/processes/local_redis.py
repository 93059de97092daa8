"""A Redis of our own where none is given: a real one that keeps runs on disk, else an imitation."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.exceptions import ConnectionError

from entroscope.processes.children import spawn, stop
from entroscope.processes.folder_lock import locked
from entroscope.processes.supervisor import Supervisor
from entroscope.protocol.errors import Unavailable

PROGRAMS = ("redis-server", "valkey-server")
#: Paths of sockets are limited to 104 bytes or a little more.
LONGEST_PATH = 100
START_S = 60.0


@dataclass(frozen=True, slots=True)
class LocalRedis:
    """A Redis that lives as long as its context; a real one that dies is started again.

    Attributes:
        pid: the first process.
        durable: what is in it is there again at the next start on the same folder.
        description: one sentence for the console.
    """

    url: str
    durable: bool
    description: str
    pid: int


@contextmanager
def local_redis(data_dir: Path, programs: Sequence[str] = PROGRAMS) -> Iterator[LocalRedis]:
    """Run a Redis as a child process.

    Args:
        data_dir: a folder of ours; one process at a time may have it.
        programs: servers to look for on PATH; where none is found, fakeredis takes their place.
    Raises:
        Unavailable: it does not start, or the folder is in use.
    """
    program = next((path for name in programs if (path := shutil.which(name))), None)
    with _real(program, data_dir / "redis") if program else _imitation() as local:
        yield local


@contextmanager
def _real(program: str, folder: Path) -> Iterator[LocalRedis]:
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = stack.enter_context(locked(folder, folder.parent))  # an orphan holds it, too
        path = folder.resolve() / "redis.sock"
        if len(os.fsencode(path)) > LONGEST_PATH:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "redis.sock"
        command = _command(program, folder, path)
        child = stack.enter_context(Supervisor(command, "local Redis", lock))
        url = f"unix://{quote(str(path))}"
        pid = _wait(url, child, folder / "redis.log")
        yield LocalRedis(url, True, f"{program} keeps runs in {folder}", pid)


def _command(program: str, folder: Path, path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder.resolve()),
        "logfile": "redis.log",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]


def _wait(url: str, child: Supervisor, log: Path) -> int:
    """Wait until it answers, and return its process id.

    Raises:
        Unavailable: it ended instead, or takes too long.
    """
    deadline = time.monotonic() + START_S
    with Redis.from_url(url, protocol=2) as redis:
        while child.ended is None and time.monotonic() < deadline:
            try:
                redis.ping()
            except ConnectionError:  # not there yet, or still loading
                time.sleep(0.02)
                continue
            if child.pid is not None:
                return child.pid
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    why = lines[-1] if lines else f"exit status {child.ended}"
    raise Unavailable(f"the local Redis did not start: {why}")


@contextmanager
def _imitation() -> Iterator[LocalRedis]:
    command = [sys.executable, "-m", "entroscope.processes.fake_redis"]
    process = spawn(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise Unavailable("the imitation of Redis did not start")
        url = f"redis://127.0.0.1:{int(line)}"
        said = "fakeredis, which keeps nothing when it stops: install redis-server to keep runs"
        yield LocalRedis(url, False, said, process.pid)
    finally:
        stop(process)
