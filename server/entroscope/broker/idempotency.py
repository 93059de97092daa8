"""Idempotency keys: the same key and document stand for the same thing, however often sent."""

import hashlib
import json
import uuid
from typing import Any

from redis import Redis

from entroscope.broker.keys import PREFIX
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
    return str(known["run"])
