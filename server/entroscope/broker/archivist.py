"""Which of the servers on one Redis moves finished runs to its archive: a lease on the task."""

from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import OutOfMemoryError

from entroscope.broker.keys import ARCHIVIST
from entroscope.broker.transactions import guarded

#: The task is free again when its server has not renewed the lease for so long.
LEASE_MS = 5000


class Archivist:
    """The lease of one server.

    Args:
        name: of the server; the same after a restart on the same folder, which may go on at once.
    """

    def __init__(self, redis: Redis, name: str, lease_ms: int = LEASE_MS) -> None:
        self._redis, self._name, self._lease_ms = redis, name.encode(), lease_ms

    def take(self) -> bool:
        """Take or renew the lease; return whether this server has it."""
        holder = self._redis.get(ARCHIVIST)
        if holder == self._name and self._redis.pexpire(ARCHIVIST, self._lease_ms):
            return True
        try:
            return bool(self._redis.set(ARCHIVIST, self._name, nx=True, px=self._lease_ms))
        except OutOfMemoryError:  # two that archive do no harm, and none frees no memory
            return holder in (None, self._name)

    def leave(self) -> None:
        """Let another server have the task at once."""

        def change(pipe: Pipeline) -> None:
            holder: Any = pipe.get(ARCHIVIST)
            pipe.multi()
            if holder == self._name:
                pipe.delete(ARCHIVIST)

        guarded(self._redis, change, ARCHIVIST)
