"""Whether somebody still waits for what is being worked out.

What may take long asks `go_on` between its pieces; whoever had it begun says how it is to be
stopped. Without that nothing ever stops.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

#: Returns whether nobody waits any more.
Gone = Callable[[], bool]

_gone: ContextVar[Gone | None] = ContextVar("gone", default=None)


class Abandoned(Exception):
    """Nobody waits for this any more."""


def go_on() -> None:
    """Return at once, or stop what is under way.

    Raises:
        Abandoned: nobody waits for it any more.
    """
    gone = _gone.get()
    if gone is not None and gone():
        raise Abandoned


def wanted(items: Iterable[T]) -> Iterator[T]:
    """Yield the items for as long as somebody waits.

    Raises:
        Abandoned: nobody does any more.
    """
    for item in items:
        go_on()
        yield item


@contextmanager
def while_wanted(gone: Gone) -> Iterator[None]:
    """Let `go_on` ask this for as long as the context lasts, in this thread."""
    token = _gone.set(gone)
    try:
        yield
    finally:
        _gone.reset(token)
