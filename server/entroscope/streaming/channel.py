"""The events of one watched run, shared by all its viewers; a viewer is a cursor into the list."""

import asyncio
import threading
import time
from collections.abc import Iterable

from entroscope.protocol.events import event_order
from entroscope.streaming.projection import Frame

#: Of frames further back than this only those are kept that no newer one replaces.
KEPT_FRAMES = 20_000


class Channel:
    """Frames of one run, appended by the reader's thread and read on the event loop.

    Attributes:
        gone: the log has moved (to the archive, or away); viewers join anew where they were.
    """

    def __init__(self, run: str, loop: asyncio.AbstractEventLoop) -> None:
        self.run, self.gone, self.viewers = run, False, 0
        self.idle_since = time.monotonic()
        self._frames: list[Frame | None] = []
        self._ids: list[str] = []
        self._newest: dict[tuple[str, int], int] = {}
        self._final = False
        self._loop = loop
        self._changed = asyncio.Event()
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def final(self) -> bool:
        """Whether the last event of the run is among the frames."""
        return self._final

    def extend(self, frames: Iterable[Frame]) -> None:
        """Append frames and wake the viewers; for any thread."""
        with self._writing:
            for frame in frames:
                self._append(frame)
        self._loop.call_soon_threadsafe(self._notify)

    def retire(self) -> None:
        """Send the viewers elsewhere; for any thread."""
        self.gone = True
        self._loop.call_soon_threadsafe(self._notify)

    def frames(self) -> list[Frame]:
        """Return the frames that are kept, in order."""
        return [frame for frame in self._frames if frame is not None]

    def newest(self, key: tuple[str, int]) -> Frame | None:
        """Return the newest frame with a key."""
        position = self._newest.get(key)
        return None if position is None else self._frames[position]

    def place_after(self, id: str) -> int:
        """Return the position of the first frame after an id."""
        order, low, high = event_order(id), 0, len(self._ids)
        while low < high:
            middle = (low + high) // 2
            if event_order(self._ids[middle]) <= order:
                low = middle + 1
            else:
                high = middle
        return low

    def frame(self, position: int, *, newest_only: bool = False) -> Frame | None:
        """Return a frame, or None where it was replaced by a newer one."""
        frame = self._frames[position]
        if frame is None or not newest_only or frame.key is None:
            return frame
        return frame if self._newest[frame.key] == position else None

    async def wait_beyond(self, position: int) -> None:
        """Wait until there is a frame at a position, or the channel is retired."""
        while len(self._frames) <= position and not self.gone:
            await self._changed.wait()

    def _append(self, frame: Frame) -> None:
        if frame.key is not None:
            self._newest[frame.key] = len(self._frames)
        self._frames.append(frame)
        self._ids.append(frame.id)
        self._final = self._final or frame.last
        self._thin(len(self._frames) - 1 - KEPT_FRAMES)

    def _thin(self, position: int) -> None:
        if position >= 0 and self.frame(position, newest_only=True) is None:
            self._frames[position] = None

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
