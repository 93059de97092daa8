"""A Redis of a test's own that can be killed and started again on its append-only file."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from waiting import eventually

from entroscope.processes.local_redis import PROGRAMS


def free_port() -> int:
    """Return a port of loopback that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisProcess:
    """Started at once; `kill` is kill -9, `start` starts it again."""

    def __init__(self, folder: Path) -> None:
        found = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if found is None:
            pytest.skip("install redis-server (or valkey-server) to run this test")
        self._program, self._folder, self.port = found, folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command = [self._program, "--port", str(self.port), "--dir", str(self._folder), *options]
        self._process = subprocess.Popen(
            [*command, "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
        )
        eventually(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with Redis(port=self.port) as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False
