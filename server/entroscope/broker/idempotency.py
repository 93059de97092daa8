"""Idempotency keys: the same key and document stand for the same thing, however often sent."""

import hashlib
import json
import uuid
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import OutOfMemoryError

from entroscope.broker.keys import PREFIX, keyed_key
from entroscope.protocol.errors import Conflict, SpecError

#: How long an Idempotency-Key is remembered.
REMEMBERED_S = 24 * 3600
LONGEST_KEY = 200


def id_of_key(redis: Redis, key: str, document: Any) -> str:
    """Return the id that a key stands for; what is made under it is made at most once.

    The id is noted before anything is made: a crash in between leaves no second.

    Raises:
        SpecError: the key is not one.
        Conflict: it was used for another document.
    """
    if not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        reason = f"must have 1 to {LONGEST_KEY} printable characters"
        raise SpecError("Idempotency-Key", key[:60], reason)
    body = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    redis_key = f"{PREFIX}idempotency:{hashlib.sha256(key.encode()).hexdigest()}"
    noted = json.dumps({"run": uuid.uuid4().hex, "body": body})
    redis.set(redis_key, noted, nx=True, ex=REMEMBERED_S)
    stored: Any = redis.get(redis_key)
    known = json.loads(stored)
    if known["body"] != body:
        raise Conflict(f"the Idempotency-Key {key!r} was used for another spec before")
    run = str(known["run"])
    redis.set(keyed_key(run), b"", nx=True, ex=REMEMBERED_S)
    return run


def keep_end(redis: Redis, run: str, document: Any) -> None:
    """Keep the document of a run that ended for servers that do not have its archive.

    It is kept as long as the key of the run is remembered; without a key it is not.
    """
    text = json.dumps(document, separators=(",", ":"))
    with suppress(OutOfMemoryError):  # the archive has it
        redis.set(keyed_key(run), text, xx=True, keepttl=True)


def end_of(redis: Redis, run: str) -> dict[str, Any] | None:
    """Return the document of a run that has a key and has ended, or None."""
    text: Any = redis.get(keyed_key(run))
    document: dict[str, Any] | None = json.loads(text) if text else None
    return document


def forget_end(redis: Redis, run: str) -> None:
    """Forget the document of a run: it was deleted."""
    redis.delete(keyed_key(run))
