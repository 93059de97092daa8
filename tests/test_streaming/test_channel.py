"""A channel and its cursors, without a server."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from entroscope.streaming import channel as channels
from entroscope.streaming.channel import Channel
from entroscope.streaming.cursor import SLOW_FRAMES, Cursor
from entroscope.streaming.projection import Frame, event_frame


def point(number: int, step: int) -> Frame:
    """Return a point of one step."""
    return event_frame({"id": f"{number}-0", "type": "point", "step": step, "run": "r"})


def state(number: int, type: str = "started") -> Frame:
    return event_frame({"id": f"{number}-0", "type": type, "run": "r"})


def taken(cursor: Cursor) -> list[str]:
    """Return the ids of all that a cursor has to give at the moment."""
    ids = []
    while (frame := cursor.take()) is not None:
        ids.append(frame.id.partition("-")[0])
    return ids


def on_loop(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_a_viewer_who_was_away_gets_all_and_a_slow_one_only_the_newest() -> None:
    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        channel.extend([state(1)])
        slow = Cursor(channel, "0-0")
        assert taken(slow) == ["1"]
        channel.extend(point(number, number % 2) for number in range(2, 100))
        channel.extend([state(100), point(101, 0)])
        assert taken(slow) == ["99", "100", "101"]
        assert len(taken(Cursor(channel, "0-0"))) == 101

    on_loop(test())


def test_a_viewer_a_little_behind_misses_nothing() -> None:
    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        cursor = Cursor(channel, "0-0")
        taken(cursor)
        channel.extend(point(number, 0) for number in range(SLOW_FRAMES))
        assert len(taken(cursor)) == SLOW_FRAMES - 1  # number 0 comes before every event

    on_loop(test())


def test_a_log_that_is_still_loading_is_skipped_up_to_the_last_event_seen() -> None:
    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        cursor = Cursor(channel, "2-0")
        channel.extend([state(1), state(2), state(3)])
        assert taken(cursor) == ["3"]

    on_loop(test())


def test_old_points_are_dropped_from_memory_only_where_newer_ones_replace_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "KEPT_FRAMES", 3)

    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        channel.extend([state(1), point(2, 0), point(3, 1), point(4, 0)])
        channel.extend([point(5, 2), state(6), state(7), state(8), state(9)])
        assert taken(Cursor(channel, "0-0")) == ["1", "3", "4", "5", "6", "7", "8", "9"]

    on_loop(test())


def test_waiting_ends_with_a_frame_and_with_the_channel() -> None:
    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        cursor = Cursor(channel, "0-0")
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(cursor.wait())
            await asyncio.to_thread(channel.extend, [state(1)])
        assert taken(cursor) == ["1"]
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(cursor.wait())
            await asyncio.to_thread(channel.retire)
        assert cursor.moved and not cursor.at_end

    on_loop(test())


def test_the_last_event_ends_a_channel() -> None:
    async def test() -> None:
        channel = Channel("r", asyncio.get_running_loop())
        channel.extend([state(1, "queued"), state(2, "done")])
        cursor = Cursor(channel, "1-0")
        assert not cursor.at_end
        assert taken(cursor) == ["2"]
        assert cursor.at_end

    on_loop(test())
