"""Names of what is kept in Redis."""

PREFIX = "entroscope:"
#: Sorted set of live runs by the time of their creation.
RUNS = f"{PREFIX}runs"
#: Hash: live run -> bytes that it may come to take.
RESERVED = f"{PREFIX}reserved"
#: Hash of the sweeps that are not on disk yet, by id.
SWEEPS = f"{PREFIX}sweeps"
#: Hash of every model ever announced, by name.
MODELS = f"{PREFIX}models"
#: String: the list of the presets that the last worker to start has brought.
PRESETS = f"{PREFIX}presets"
#: String: the server that moves finished runs to its archive; expires.
ARCHIVIST = f"{PREFIX}archivist"
#: Channel that tells workers of runs to leave: {"run": id}.
CONTROL = f"{PREFIX}control"
#: Consumer group of the workers on every queue.
GROUP = "workers"


def run_key(run: str) -> str:
    """Hash: spec, info, model, spec_hash, state, times, reason, cancel, queued, parent, extends."""
    return f"{PREFIX}run:{run}"


def log_key(run: str) -> str:
    """Stream: the event log."""
    return f"{PREFIX}run:{run}:log"


def sums_key(run: str) -> str:
    """Hash: batch -> sums frame; the first record of a batch wins."""
    return f"{PREFIX}run:{run}:sums"


def values_key(run: str) -> str:
    """Hash: batch -> values frame of the same record."""
    return f"{PREFIX}run:{run}:values"


def attempts_key(run: str) -> str:
    """Hash: batch -> how often it was begun by a worker that did not give it back."""
    return f"{PREFIX}run:{run}:attempts"


def queue_key(model: str) -> str:
    """Stream of {run, batch} waiting for workers that have the model."""
    return f"{PREFIX}queue:{model}"


def worker_key(worker: str) -> str:
    """String: the worker's last announcement; expires."""
    return f"{PREFIX}worker:{worker}"


def keyed_key(run: str) -> str:
    """String: there for a run that an Idempotency-Key stands for, its document once it ended."""
    return f"{PREFIX}keyed:{run}"
