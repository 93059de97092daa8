"""How everybody reaches Redis: protocol 2, time limits, and one clear sentence when it fails."""

from collections.abc import Callable
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry

from entroscope.protocol.errors import Unavailable

#: A blocking read must ask for less than this.
SOCKET_TIMEOUT_S = 15.0
OLDEST = (6, 2)
#: How long to wait before a Redis that is away is asked again.
RETRY_S = 0.5


def connect(url: str, *, check: bool = True) -> Redis:
    """Return a client of the Redis at a URL; it connects again by itself after a loss.

    Raises:
        Unavailable: the URL is off, or (with `check`) nothing fit answers there.
    """
    retry = Retry(ExponentialBackoff(cap=0.2, base=0.02), 3)
    try:
        redis = Redis.from_url(
            url,
            protocol=2,
            decode_responses=False,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=5.0,
            health_check_interval=30,
            retry=retry,
        )
    except ValueError as error:
        raise Unavailable(f"{_public(url)!r} is not the URL of a Redis: {error}") from None
    if check:
        _check(redis, url)
    return redis


def connect_at_last(url: str, say: Callable[[str], None]) -> Redis:
    """Return a client of the Redis at a URL; wait for it, however long it is away.

    Args:
        say: is told once that it is being waited for.

    Raises:
        Unavailable: the URL is off, or what answers there is not fit or wants a password.
    """
    redis, told = connect(url, check=False), False
    while True:
        try:
            redis.ping()
        except AuthenticationError:
            break
        except (ConnectionError, TimeoutError) as error:
            if not told:
                say(f"waiting for Redis at {_public(url)}: {reason(error)}")
            told = True
            sleep(RETRY_S)
        else:
            break
    _check(redis, url)
    return redis


def memory(redis: Redis) -> tuple[int, int | None]:
    """Return the bytes that a Redis uses and may use, None for no limit."""
    try:
        facts: Any = redis.info("memory")
    except ResponseError:  # fakeredis has no INFO
        return 0, None
    return int(facts["used_memory"]), int(facts.get("maxmemory") or 0) or None


def is_full(redis: Redis) -> bool:
    """Return whether a Redis takes nothing more."""
    used, limit = memory(redis)
    return limit is not None and used >= limit


def reason(error: RedisError) -> str:
    """Return in one line why Redis did not do something."""
    if isinstance(error, OutOfMemoryError):
        return "Redis is out of memory"
    return (str(error).splitlines() or [repr(error)])[0]


def _check(redis: Redis, url: str) -> None:
    try:
        redis.ping()
        version = _version(redis)
    except RedisError as error:
        redis.close()
        raise Unavailable(f"Redis at {_public(url)} does not answer: {error}") from None
    if version is not None and tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        redis.close()
        raise Unavailable(f"Redis at {_public(url)} is {version}; 6.2 or newer is needed")


def _version(redis: Redis) -> str | None:
    try:
        return str(redis.info("server")["redis_version"])
    except ResponseError:  # fakeredis has no INFO
        return None


def _public(url: str) -> str:
    """Return the URL without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
