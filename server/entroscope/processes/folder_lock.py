"""A folder that one process at a time may use, by a lock that ends with the process."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entroscope.protocol.errors import Unavailable

#: Whoever is ending has so long to do so.
PATIENCE_S = 5.0


@contextmanager
def locked(folder: Path, what: Path | None = None) -> Iterator[tuple[int, ...]]:
    """Hold a folder; yield the open files that hold it, for children that are to hold it as well.

    Args:
        what: the folder as it is called in the message.
    Raises:
        Unavailable: another process holds it, or it cannot be used.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield ()
        return
    lock = _open(folder)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"another Entroscope uses {what or folder}: {_holder(lock)}"
                    ) from None
                time.sleep(0.05)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield (lock,)
    finally:
        os.close(lock)


def _open(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"cannot use the folder {folder}: {error.strerror}") from None


def _holder(lock: int) -> str:
    """Return which process holds the lock, as it has written."""
    return os.pread(lock, 200, 0).decode(errors="replace") or "it does not say which process"
