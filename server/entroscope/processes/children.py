"""Child processes that die with their parent, even when that is killed and cannot say goodbye.

Run as a script, this file is the first program of the child and imports nothing but the standard
library. On Linux it asks the kernel for a signal at the parent's death and becomes the command;
elsewhere it stays, starts the command and watches a pipe that only the parent holds open.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO

PR_SET_PDEATHSIG = 1
WATCHED = not sys.platform.startswith("linux")


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
    watched: bool = WATCHED,
) -> subprocess.Popen[bytes]:
    """Start a command that is killed when this process ends, whatever ends it.

    It has a session of its own: Ctrl-C in the terminal reaches the parent alone, which stops its
    children in order. On Linux the calling thread must live as long as the child should.

    Args:
        watched: use the watching parent, which needs nothing of the kernel.
    """
    how = "watch" if watched else "become"
    program = [sys.executable, "-I", "-S", __file__, how, str(os.getpid()), *command]
    return subprocess.Popen(
        program,
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE if watched else subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=tuple(pass_fds),
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], grace_s: float = 10.0) -> int:
    """Ask a child to end, kill it after the grace, and return its exit status."""
    process.terminate()
    try:
        return process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _become(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        return
    os.execvp(command[0], command)


def _watch(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())

    def kill_at_end_of_input() -> None:
        sys.stdin.buffer.read()
        child.kill()

    threading.Thread(target=kill_at_end_of_input, daemon=True).start()
    return child.wait()


def main(arguments: list[str]) -> int:
    how, parent, *command = arguments
    if how == "watch":
        return _watch(command)
    _become(int(parent), command)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
