"""What the tests of workers share."""

from collections.abc import Iterator

import pytest
from redis import Redis
from workers import Crew

from entroscope.broker.event_log import EventLog
from entroscope.broker.run_store import RunStore


@pytest.fixture
def store(redis: Redis) -> RunStore:
    return RunStore(redis)


@pytest.fixture
def log(redis: Redis) -> EventLog:
    return EventLog(redis)


@pytest.fixture
def crew(queue_url: str) -> Iterator[Crew]:
    crew = Crew(queue_url)
    yield crew
    crew.dismiss()
