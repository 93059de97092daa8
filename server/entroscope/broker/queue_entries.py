"""A look into the queue of one model: what of a run waits there, and what of it is under way."""

from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from entroscope.broker.keys import GROUP, queue_key

#: A batch whose worker has not renewed its lease for this long is redelivered.
LEASE_MS = 5000


def entry_fields(run: str, batch: int) -> dict[Any, Any]:
    """Return what stands in the queue for one batch."""
    return {"run": run, "batch": batch}


def batches_under_way(redis: Redis, model: str, run: str, lease_ms: int) -> list[int]:
    """Return the batches of a run that a worker alive holds."""
    key = queue_key(model)
    try:
        pending: Any = redis.xpending_range(key, GROUP, min="-", max="+", count=1000)
    except ResponseError:  # no worker has ever read from this queue
        return []
    held = [item["message_id"] for item in pending if item["time_since_delivered"] < lease_ms]
    with redis.pipeline(transaction=False) as pipe:
        for entry in held:
            pipe.xrange(key, min=entry, max=entry)
        replies = pipe.execute()
    fields = [entry for reply in replies for _, entry in reply]
    return [int(entry[b"batch"]) for entry in fields if entry[b"run"] == run.encode()]


def remove_waiting(redis: Redis, model: str, run: str) -> None:
    """Take all of a run out of the queue."""
    key = queue_key(model)
    waiting: Any = redis.xrange(key)
    entries = [entry for entry, fields in waiting if fields[b"run"] == run.encode()]
    if entries:
        with redis.pipeline(transaction=False) as pipe:  # a full Redis takes no transaction
            pipe.xack(key, GROUP, *entries)
            pipe.xdel(key, *entries)
            pipe.execute(raise_on_error=False)  # XACK fails where there is no group yet
