"""What a batch has to say: thinned to a rate that people can watch, kept while Redis is away."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from entroscope.broker.event_log import EventLog
from entroscope.measurement.curves.records import Point, Preview
from entroscope.protocol.frames import pack

#: At most one point in this time, but always the first and the last of a batch.
POINT_GAP_S = 0.05


class Publisher:
    """Entries of one batch on their way to the log of its run.

    Attributes:
        step: the last step that the batch has done.
    """

    def __init__(
        self,
        log: EventLog,
        run: str,
        num_steps: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._run, self._last_step, self._clock = log, run, num_steps - 1, clock
        self._waiting: deque[tuple[str, dict[str, Any], bytes]] = deque()
        self._next_point_s = -float("inf")
        self.step: int | None = None

    def add(self, payload: Point | Preview) -> None:
        """Take a payload; a point that follows too closely is left out."""
        if isinstance(payload, Preview):
            at = {"batch": payload.header["batch"], "step": payload.header["step"]}
            self._waiting.append(("preview", at, pack(payload.header, payload.image)))
            return
        self.step, now = payload.step, self._clock()
        if payload.step in (0, self._last_step) or now >= self._next_point_s:
            self._next_point_s = now + POINT_GAP_S
            at = {"batch": payload.batch, "step": payload.step}
            self._waiting.append(("point", at, payload.encode()))

    def flush(self) -> None:
        """Write everything; what fails stays for the next time."""
        while self._waiting:
            self._log.append(self._run, *self._waiting[0])
            self._waiting.popleft()
