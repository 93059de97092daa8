"""The states of a run and which of them are final."""

from enum import StrEnum


class State(StrEnum):
    """Where a run is; every run ends in one of FINAL."""

    #: Accepted; no worker has begun a batch of it.
    QUEUED = "queued"
    #: A worker has begun its first batch.
    RUNNING = "running"
    #: All batches (or the smallest prefix that meets the target error) are merged.
    DONE = "done"
    #: It cannot be finished; the event says why.
    FAILED = "failed"
    #: Somebody cancelled it; what was measured until then is kept.
    CANCELLED = "cancelled"


FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})
