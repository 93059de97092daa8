"""One viewer's place among the frames of a run."""

import time

from entroscope.protocol.events import event_order
from entroscope.streaming.channel import Channel
from entroscope.streaming.projection import Frame

#: A viewer that held up a send for longer is slow: it skips frames that newer ones replace.
SLOW_S = 0.25
#: So is one that had caught up once and is this far behind.
SLOW_FRAMES = 32


class Cursor:
    """One viewer's place in a channel, from after an event on."""

    def __init__(self, channel: Channel, after: str) -> None:
        self._channel, self._position = channel, channel.place_after(after)
        self._after: tuple[int, int] | None = event_order(after)
        self._taken_at = time.monotonic()
        self._caught_up = False
        self._skip_until = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing will follow."""
        return self._channel.final and self._position >= len(self._channel)

    @property
    def moved(self) -> bool:
        """Whether the run is to be joined anew, from the last event on."""
        return self._channel.gone and self._position >= len(self._channel)

    def take(self) -> Frame | None:
        """Return the next frame, or None where there is none at the moment."""
        self._notice_slowness()
        while self._position < len(self._channel):
            position, self._position = self._position, self._position + 1
            frame = self._channel.frame(position, newest_only=position < self._skip_until)
            if frame is not None and self._is_news(frame):
                self._taken_at = time.monotonic()
                return frame
        self._caught_up = True
        return None

    async def wait(self) -> None:
        """Wait until there is a frame to take, or the channel is retired."""
        await self._channel.wait_beyond(self._position)
        self._taken_at = time.monotonic()

    def _is_news(self, frame: Frame) -> bool:
        """Return whether a frame comes after the viewer's last one; a log may be loading yet."""
        if self._after is not None and event_order(frame.id) <= self._after:
            return False
        self._after = None
        return True

    def _notice_slowness(self) -> None:
        behind = len(self._channel) - self._position
        held_up = time.monotonic() - self._taken_at > SLOW_S
        if held_up or (self._caught_up and behind > SLOW_FRAMES):
            self._skip_until = len(self._channel)
