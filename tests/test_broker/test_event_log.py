"""Logs are appended to, read from any place, and followed."""

import math
import threading

import pytest
from redis import Redis

from entroscope.broker.event_log import START, EventLog, is_entry_id


@pytest.fixture
def log(redis: Redis) -> EventLog:
    log = EventLog(redis)
    log.begin("a", "queued", {"position": 0})
    return log


def test_entries_come_back_as_they_were_written(log: EventLog) -> None:
    data = bytes(range(256))
    written = log.append("a", "point", {"batch": 1, "value": math.inf}, data)
    entry = log.read("a")[-1]
    assert (entry.id, entry.type, entry.data) == (written, "point", data)
    assert entry.document == {"batch": 1, "value": None}


def test_reading_goes_on_after_a_place(log: EventLog) -> None:
    ids = [log.append("a", "point", {"step": step}) for step in range(5)]
    assert ids[1] is not None
    assert [e.document["step"] for e in log.read("a", after=ids[1])] == [2, 3, 4]
    assert [e.document["step"] for e in log.read("a", after=ids[1], count=2)] == [2, 3]
    assert log.read("nobody") == []


def test_following_returns_what_is_there_for_each_run(log: EventLog) -> None:
    log.begin("b", "queued", {})
    last = log.append("b", "started", {})
    assert last is not None
    log.append("b", "batch", {})
    found = log.follow({"a": START, "b": last, "nobody": START}, block_ms=10)
    assert {run: [e.type for e in entries] for run, entries in found.items()} == {
        "a": ["queued"],
        "b": ["batch"],
    }


def test_following_waits_for_the_next_entry(log: EventLog) -> None:
    first = log.read("a")[-1].id
    writer = threading.Timer(0.05, lambda: log.append("a", "started", {}))
    writer.start()
    found = log.follow({"a": first}, block_ms=10_000)
    writer.join()
    assert [entry.type for entry in found["a"]] == ["started"]


def test_following_nothing_new_ends(log: EventLog) -> None:
    assert log.follow({"a": log.read("a")[-1].id}, block_ms=10) == {}
    assert log.follow({}, block_ms=10) == {}


def test_a_log_that_is_gone_stays_gone(redis: Redis, log: EventLog) -> None:
    assert log.append("nobody", "point", {}) is None
    assert redis.keys("*nobody*") == []


@pytest.mark.parametrize("text", ["0-0", "1795169946610-12"])
def test_places_in_a_log(text: str) -> None:
    assert is_entry_id(text)


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "1-2-3", "1-2\n", "$", "9" * 30 + "-0"])
def test_what_is_no_place_in_a_log(text: str) -> None:
    assert not is_entry_id(text)
