"""Points are thinned out, previews are not, and nothing is lost while Redis is away."""

from typing import Any

import numpy as np
import pytest
from redis.exceptions import ConnectionError

from entroscope.broker.event_log import EventLog
from entroscope.measurement.curves.records import Point, Preview
from entroscope_workers.worker.publisher import POINT_GAP_S, Publisher


class Log:
    """A log in memory that can be out of reach."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int]] = []
        self.away = False

    def append(self, run: str, type: str, document: dict[str, Any], data: bytes) -> str:
        if self.away:
            raise ConnectionError("away")
        self.entries.append((type, document["step"]))
        return "1-1"


def point(step: int) -> Point:
    return Point(0, step, 1.0, np.zeros(1, np.int64), np.zeros((1, 1)), np.zeros((1, 1)))


def make(log: Any, times: list[float], steps: int = 100) -> Publisher:
    ticks = iter(times)
    own: EventLog = log
    return Publisher(own, "run", steps, clock=lambda: next(ticks))


def test_the_first_and_the_last_point_and_twenty_a_second_between() -> None:
    log, steps = Log(), 1000
    publisher = make(log, [step * POINT_GAP_S / 10 for step in range(steps)], steps)
    for step in range(steps):
        publisher.add(point(step))
    publisher.flush()
    assert log.entries[0] == ("point", 0) and log.entries[-1] == ("point", 999)
    assert len(log.entries) == pytest.approx(100, abs=2)


def test_every_preview_is_kept() -> None:
    log = Log()
    publisher = make(log, [])
    for step in range(5):
        publisher.add(Preview({"batch": 0, "step": step}, b""))
    publisher.flush()
    assert log.entries == [("preview", step) for step in range(5)]


def test_what_could_not_be_sent_is_sent_later_in_order() -> None:
    log = Log()
    publisher = make(log, [0.0, 1.0, 2.0])
    log.away = True
    publisher.add(point(0))
    with pytest.raises(ConnectionError):
        publisher.flush()
    publisher.add(point(1))
    log.away = False
    publisher.add(point(2))
    publisher.flush()
    assert log.entries == [("point", 0), ("point", 1), ("point", 2)]
    assert publisher.step == 2
