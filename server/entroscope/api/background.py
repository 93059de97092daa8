"""The tasks behind the routes: each begins again when it fails, and health knows of it."""

import logging
from collections.abc import Awaitable, Callable

from anyio import sleep

log = logging.getLogger("entroscope")


class Background:
    """Keeps tasks running.

    Attributes:
        failing: names of tasks whose last turn failed.
    """

    def __init__(self) -> None:
        self.failing: set[str] = set()

    async def keep(self, name: str, turn: Callable[[], Awaitable[None]], pause_s: float) -> None:
        """Do one turn after the other; a failure is logged once until a turn succeeds."""
        while True:
            try:
                await turn()
            except Exception as error:  # whatever it is, the others go on and so does this one
                if name not in self.failing:
                    log.exception("the %s failed, trying again: %r", name, error)
                self.failing.add(name)
            else:
                self.failing.discard(name)
            await sleep(pause_s)
