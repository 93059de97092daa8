"""Optimistic transactions (WATCH/MULTI) with retry."""

from collections.abc import Callable
from typing import Any, TypeVar

from redis import Redis
from redis.client import Pipeline

T = TypeVar("T")


def guarded(redis: Redis, change: Callable[[Pipeline], T], *keys: str) -> T:
    """Make a change in one transaction; begin again where one of the keys changed meanwhile.

    Args:
        change: reads from the pipeline, calls its `multi`, then queues what to write.
    """
    transaction: Any = redis.transaction
    result: T = transaction(change, *keys, value_from_callable=True)
    return result
