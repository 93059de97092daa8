"""Keeps a child process alive: one that dies is started again, one that cannot start is final."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from entroscope.processes.children import spawn, stop

#: Exit status of a command line or model that will not work the next time either.
HOPELESS = 2
RESTART_S = 1.0


class Supervisor:
    """A child process for as long as the context lasts.

    The thread that watches also starts it: on Linux a child dies with the thread it came from.

    Args:
        name: what the child is called in what is printed.
        pass_fds: files that it inherits.

    Attributes:
        ended: exit status of the last child that ended by itself, or None.
        status: 0, or the exit status of a child that was not worth starting again; this process is
            then sent SIGTERM, so that it ends too.
    """

    def __init__(
        self, command: Sequence[str], name: str = "worker", pass_fds: Sequence[int] = ()
    ) -> None:
        self._command, self._name, self._pass_fds = command, name, pass_fds
        self.status = 0
        self.ended: int | None = None
        self._ending = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name="supervisor")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def pid(self) -> int | None:
        """The process that runs at the moment, or the last one; None before the first."""
        return None if self._child is None else self._child.pid

    def _watch(self) -> None:
        while not self._ending.is_set():
            child = self._child = spawn(self._command, pass_fds=self._pass_fds)
            while child.poll() is None and not self._ending.wait(0.1):
                pass
            if self._ending.is_set():
                stop(child)
                return
            self.ended = child.returncode
            if child.returncode == HOPELESS:
                self.status = HOPELESS
                os.kill(os.getpid(), signal.SIGTERM)
                return
            said = f"the {self._name} ended with status {child.returncode}"
            again = "another one takes its place"
            print(f"entroscope: {said}; {again}", file=sys.stderr, flush=True)
            self._ending.wait(RESTART_S)


def worker_command(
    redis_url: str, models: Sequence[str] | None, *more: str, data: Sequence[str] = ()
) -> list[str]:
    """Return the command of a worker process."""
    more = (*more, *(f"--data={each}" for each in data))
    command = [sys.executable, "-m", "entroscope", "work", "--redis-url", redis_url, *more]
    return command + (["--models", ",".join(models)] if models else [])
