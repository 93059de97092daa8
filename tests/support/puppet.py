"""A worker that does exactly what a test tells it, payload by payload."""

from collections.abc import Iterator
from typing import Self

import numpy as np
from fakes import INFO
from redis import Redis

from entroscope.broker.batch_queue import BatchQueue, Taken
from entroscope.broker.endings import now_ms
from entroscope.broker.event_log import EventLog
from entroscope.broker.presence import Presence, WorkerInfo
from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.curves.records import Payload, Point, Preview, Record
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.events import LAST
from entroscope.protocol.frames import pack
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import QUANTITIES, SHOWN

#: A model with a known speed.
OFFER = INFO.model_copy(update={"pairs_per_second": 1000.0})
#: Begins and ends like a JPEG.
PICTURE = b"\xff\xd8\xff\xe0picture\xff\xd9"


class Puppet:
    """Announces a model and publishes batches when told to."""

    def __init__(self, redis: Redis, offer: ModelInfo = OFFER) -> None:
        self.queue, self.log, self.presence = BatchQueue(redis), EventLog(redis), Presence(redis)
        self.offer = offer

    def announce(self) -> Self:
        """Be there, for five seconds or until told again."""
        info = WorkerInfo(
            name="puppet",
            host="here",
            pid=1,
            device="strings",
            models=[self.offer],
            since_ms=now_ms(),
        )
        self.presence.announce(info)
        return self

    def withdraw(self) -> None:
        self.presence.withdraw("puppet")

    def take(self) -> Taken:
        """Begin the next batch; there must be one."""
        taken = self.queue.take("puppet", [self.offer.name], 2000, "strings")
        assert taken is not None, "nothing is queued"
        return taken

    def publish(self, taken: Taken, payload: Payload) -> None:
        """Send one payload as workers do."""
        match payload:
            case Point():
                document = {"batch": payload.batch, "step": payload.step}
                self.log.append(taken.run, "point", document, payload.encode())
            case Preview():
                frame = pack(payload.header, payload.image)
                self.log.append(taken.run, "preview", {}, frame)
            case Record():
                self.queue.complete(taken, payload)

    def perform(self, taken: Taken) -> None:
        """Do a whole batch."""
        for payload in payloads(taken.plan, taken.batch):
            self.publish(taken, payload)

    def finish(self, run: str) -> None:
        """Do all batches of a run that are left."""
        while True:
            taken = self.take()
            self.perform(taken)
            entries = self.log.read(run, count=100_000)
            if not entries or entries[-1].type in LAST:  # none: it is in the archive already
                return


def payloads(plan: Plan, index: int) -> Iterator[Payload]:
    """Yield points, pictures (first batch) and the record of a batch without physics."""
    _, size = plan.batches[index]
    num_steps, num_curves = len(plan.sigmas), len(plan.curves)
    draw = np.random.default_rng([plan.spec.seed, index])
    labels = draw.integers(len(plan.columns), size=size)
    tables = draw.random((num_curves, len(QUANTITIES), num_steps, size))
    for step, sigma in enumerate(plan.sigmas):
        rows = tables[:, :, step]  # (curves, quantities, batch)
        counts = np.full(num_curves, size)
        yield Point(index, step, float(sigma), counts, rows.sum(2), np.square(rows).sum(2))
        if index == 0 and plan.spec.previews is not None:
            yield Preview(_header(plan, step), PICTURE + bytes([step]))
    keyed = dict(zip((curve.key for curve in plan.curves), tables, strict=True))
    yield Record(
        _facts(plan, index),
        {key: Moments.of(table, labels, len(plan.columns)) for key, table in keyed.items()},
        labels,
        {key: table[: len(SHOWN)].astype(np.float32) for key, table in keyed.items()},
    )


def _header(plan: Plan, step: int) -> dict[str, object]:
    return {
        "batch": 0,
        "step": step,
        "sigma": float(plan.sigmas[step]),
        "columns": 1,
        "rows": 1,
        "media_type": "image/jpeg",
        "samples": [{"label": "a", "posterior": [0.5, 0.25, 0.25]}],
    }


def _facts(plan: Plan, index: int) -> dict[str, object]:
    first, size = plan.batches[index]
    evaluations = size * len(plan.columns) * len(plan.sigmas)
    return {
        "batch": index,
        "first": first,
        "trajectories": size,
        "evaluations": evaluations,
        "evaluations_full": evaluations,
        "seconds": 0.5,
        "device": "strings",
        "versions": {"numpy": np.__version__},
        "weights_hash": None,
        "micro_batches": 1,
    }
