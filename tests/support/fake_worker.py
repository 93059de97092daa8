"""A worker process with fake batches that misbehaves as told.

Options (JSON): url, name, lease_ms, max_attempts; pace_s (time of a step); hold (the batch in which
it hangs for ever); die (the batch that kills it); busy ([batch, seconds] of Python without a rest);
studying (the batch, of a real Gaussian mixture, in whose studies it hangs for ever; -1 for none).
"""

import functools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from fakes import MODEL, fake_batch

from entroscope.broker.connect import connect
from entroscope.measurement.curves.records import Pause, Payload, Point
from entroscope.measurement.plan.plan import Plan
from entroscope_workers.worker.worker import Worker


def misbehave(options: dict[str, Any], plan: Plan, index: int, model: Any) -> Iterator[Payload]:
    """Yield the payloads of a fake batch, with trouble."""
    if index == options.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    busy, seconds = options.get("busy", (None, 0))
    for payload in fake_batch(plan, index):
        yield payload
        if isinstance(payload, Point):
            threading.Event().wait(options.get("pace_s", 0))
            if index == options.get("hold"):
                threading.Event().wait()
            if (index, payload.step) == (busy, 0):
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    pass


def study(options: dict[str, Any], plan: Plan, index: int, model: Any) -> Iterator[Payload]:
    """Yield the payloads of a real batch; in the studies of the one named, come no further."""
    from entroscope_workers.sampling.runner import run_batch

    for payload in run_batch(plan, index, model):
        yield payload
        if isinstance(payload, Pause) and index == options["studying"]:
            threading.Event().wait()


def main() -> None:
    options = json.loads(sys.argv[1])
    models: dict[str, Any] = {"fake": MODEL}
    batch = study if "studying" in options else misbehave
    if "studying" in options:
        import torch

        from entroscope_workers.models.families.gaussian_mixture import load

        models = {"gaussian-mixture": load(torch.device("cpu"))}
    worker = Worker(
        connect(options["url"], check=False),
        models,
        options["name"],
        "fake device",
        run_batch=functools.partial(batch, options),
        lease_ms=options.get("lease_ms", 1000),
        max_attempts=options.get("max_attempts", 3),
    )
    worker.run()


if __name__ == "__main__":
    main()
