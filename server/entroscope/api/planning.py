"""Where plans are made: small ones beside each other, large ones one at a time.

A plan that takes longer than `QUICK_S` is begun again in a lane of its own, where it holds up
nobody but other large ones, and stops when its client leaves.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from anyio import CapacityLimiter, create_task_group, to_thread
from starlette.requests import Request

from entroscope.protocol.patience import Abandoned, Gone, while_wanted

T = TypeVar("T")

#: So long a plan may take among the others.
QUICK_S = 1.0
#: Small plans made at a time; one processor does not make more of them any faster.
QUICK_LANES = 4


class Planning:
    """The two lanes of one server."""

    def __init__(self, quick_s: float = QUICK_S) -> None:
        self._quick_s = quick_s
        self._quick, self._slow = CapacityLimiter(QUICK_LANES), CapacityLimiter(1)

    async def make(self, request: Request, work: Callable[[], T]) -> T:
        """Return what `work` makes; it may be begun twice and must change nothing.

        Raises:
            Abandoned: the client left meanwhile.
        """
        try:
            return await to_thread.run_sync(self._briefly, work, limiter=self._quick)
        except Abandoned:
            return await self._while_connected(request, work)

    def _briefly(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + self._quick_s
        with while_wanted(lambda: time.monotonic() > end):
            return work()

    async def _while_connected(self, request: Request, work: Callable[[], T]) -> T:
        left = threading.Event()
        try:
            async with create_task_group() as group:
                group.start_soon(_watch, request, left)
                outcome = await to_thread.run_sync(
                    _outcome, work, left.is_set, limiter=self._slow, abandon_on_cancel=True
                )
                group.cancel_scope.cancel()
        finally:
            left.set()
        return outcome.result()


async def _watch(request: Request, left: threading.Event) -> None:
    """Note when the client leaves; its request has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    left.set()


def _outcome(work: Callable[[], T], gone: Gone) -> Future[T]:
    """Return what came of the work, be it an error: those of task groups hide what they hold."""
    outcome: Future[T] = Future()
    try:
        with while_wanted(gone):
            outcome.set_result(work())
    except Exception as error:  # raised again where it is asked for
        outcome.set_exception(error)
    return outcome
