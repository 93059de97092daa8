"""Optimistic transactions (WATCH/MULTI) with retry, and what is written where memory is out."""

from collections.abc import Callable
from typing import Any, TypeVar

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import OutOfMemoryError

T = TypeVar("T")

#: A Redis at its maxmemory refuses what needs memory, and everything inside MULTI; a script that
#: has begun with a write that needs none is let to its end. KEYS: the watched hash, a key that is
#: not there. ARGV: the state that was read, then every command behind the number of its arguments.
PRESSED = """
if (redis.call('HGET', KEYS[1], 'state') or '') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
local at = 2
while at <= #ARGV do
    local size = tonumber(ARGV[at])
    redis.call(unpack(ARGV, at + 1, at + size))
    at = at + size + 1
end
return 1
"""


def guarded(redis: Redis, change: Callable[[Pipeline], T], *keys: str) -> T:
    """Make a change in one transaction; begin again where one of the keys changed meanwhile.

    Args:
        change: reads from the pipeline, calls its `multi`, then queues what to write.
    """
    transaction: Any = redis.transaction
    result: T = transaction(change, *keys, value_from_callable=True)
    return result


def guarded_always(redis: Redis, change: Callable[[Pipeline], T], key: str) -> T:
    """Make a small change as `guarded` does, even where Redis is out of memory.

    It is for what frees memory in the end: a run that is cancelled or has failed.

    Args:
        change: as for `guarded`; must depend on nothing but the state of the run.
        key: hash of the run.
    """
    try:
        return guarded(redis, change, key)
    except OutOfMemoryError:
        while True:
            written, result = _pressed(redis, change, key)
            if written:
                return result


def _pressed(redis: Redis, change: Callable[[Pipeline], T], key: str) -> tuple[bool, T]:
    state: Any = redis.hget(key, "state")
    with redis.pipeline() as pipe:
        watching: Any = pipe
        watching.watch(key)
        result = change(pipe)
        commands = [arguments for arguments, _ in pipe.command_stack]
    parts = [part for arguments in commands for part in (len(arguments), *arguments)]
    nothing = f"{key}:none"
    return bool(redis.eval(PRESSED, 2, key, nothing, state or b"", *parts)), result
