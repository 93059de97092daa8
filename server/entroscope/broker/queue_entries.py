"""A look into the queue of one model: what of a run waits there, and what of it is under way."""

from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from entroscope.broker.keys import GROUP, queue_key

#: A batch whose worker has not renewed its claim for this long is taken over by another.
CLAIM_MS = 5000


def entry_fields(run: str, batch: int) -> dict[Any, Any]:
    """Return what stands in the queue for one batch."""
    return {"run": run, "batch": batch}


def batches_under_way(redis: Redis, model: str, run: str, claim_ms: int) -> list[int]:
    """Return the batches of a run that a worker alive holds."""
    key = queue_key(model)
    try:
        pending: Any = redis.xpending_range(key, GROUP, min="-", max="+", count=1000)
    except ResponseError:  # no worker has ever read from this queue
        return []
    held = [item["message_id"] for item in pending if item["time_since_delivered"] < claim_ms]
    with redis.pipeline(transaction=False) as pipe:
        for entry in held:
            pipe.xrange(key, min=entry, max=entry)
        found = pipe.execute()
    fields = [own for entries in found for _, own in entries]
    return [int(own[b"batch"]) for own in fields if own[b"run"] == run.encode()]


def remove_waiting(redis: Redis, model: str, run: str) -> None:
    """Take all of a run out of the queue."""
    key = queue_key(model)
    waiting: Any = redis.xrange(key)
    own = [entry for entry, fields in waiting if fields[b"run"] == run.encode()]
    if own:
        with redis.pipeline() as pipe:
            pipe.xack(key, GROUP, *own)
            pipe.xdel(key, *own)
            pipe.execute(raise_on_error=False)  # XACK fails where there is no group yet
