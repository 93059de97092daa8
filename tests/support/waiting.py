"""Waiting for what other processes do, without sleeping longer than it takes."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T], timeout_s: float = 30.0) -> T:
    """Return the first true value of a condition; fail where none comes in time."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still {value!r} after {timeout_s:g} s"
        threading.Event().wait(0.01)
    return value
