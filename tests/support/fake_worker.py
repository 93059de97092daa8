"""A worker process with fake batches that misbehaves as told.

Options (JSON): url, name, claim_ms, max_attempts; pace_s (time of a step); hold (the batch in which
it hangs for ever); die (the batch that kills it); busy ([batch, seconds] of Python without a rest).
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from fakes import MODEL, fake_batch

from entroscope.connect import connect
from entroscope.protocol.payloads import Payload, Point
from entroscope.protocol.plan import Plan
from entroscope_workers.worker import Worker


def misbehave(options: dict[str, Any], plan: Plan, index: int) -> Iterator[Payload]:
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


def main() -> None:
    options = json.loads(sys.argv[1])
    worker = Worker(
        connect(options["url"], check=False),
        {"fake": MODEL},
        options["name"],
        "fake device",
        run_batch=lambda plan, index, model: misbehave(options, plan, index),
        claim_ms=options.get("claim_ms", 1000),
        max_attempts=options.get("max_attempts", 3),
    )
    worker.run()


if __name__ == "__main__":
    main()
