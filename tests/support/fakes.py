"""A model and batches without physics: light, quick, equal numbers for equal trajectories."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.curves.records import Payload, Point, Preview, Record
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope.protocol.quantities import QUANTITIES, SHOWN
from entroscope.protocol.spec import Spec

INFO = ModelInfo(
    name="fake",
    family="fake",
    title="Fake",
    labels=("a", "b", "c"),
    shape=(1,),
    batch_sizes=BatchSizes(first=4, largest=8),
)
MODEL = SimpleNamespace(info=INFO)


def fake_plan(batches: int = 3, info: ModelInfo = INFO, **fields: Any) -> Plan:
    """Return the plan of a run of so many batches (4 trajectories, then 8 each)."""
    least = {"model": "fake", "trajectories": 8 * batches - 4, "schedule": {"steps": 4}}
    return resolve(Spec.model_validate(least | fields), info)


def fake_spec(batches: int = 3, **fields: Any) -> Spec:
    """Return the resolved spec of such a run."""
    return fake_plan(batches, **fields).spec


def fake_batch(plan: Plan, index: int, model: Any = None) -> Iterator[Payload]:
    """Yield what a runner would; every number is drawn from the seeds of its trajectories."""
    first, size = plan.batches[index]
    steps = len(plan.sigmas)
    draws = [np.random.default_rng([plan.spec.seed, first + i]) for i in range(size)]
    labels = np.array([rng.integers(len(plan.columns)) for rng in draws])
    table = np.stack([rng.random((len(QUANTITIES), steps)) for rng in draws], axis=-1)
    for step in range(steps):
        row = table[:, step]
        total, square = row.sum(1), np.square(row).sum(1)
        yield Point(
            index, step, float(plan.sigmas[step]), np.array([size]), total[None], square[None]
        )
        if index == 0:
            yield Preview({"batch": 0, "step": step, "samples": []}, b"picture")
    yield fake_record(plan, index, table, labels)


def fake_record(plan: Plan, index: int, table: Any, labels: Any) -> Record:
    """Return the record of one batch from its values."""
    first, size = plan.batches[index]
    evaluations = size * len(plan.columns) * len(plan.sigmas)
    facts = {
        "batch": index,
        "first": first,
        "trajectories": size,
        "evaluations": evaluations,
        "evaluations_full": evaluations,
        "seconds": 0.0,
        "device": "fake",
        "versions": {},
        "weights_hash": None,
        "micro_batches": 1,
    }
    moments = {c.key: Moments.of(table, labels, len(plan.columns)) for c in plan.curves}
    values = {c.key: table[: len(SHOWN)].astype(np.float32) for c in plan.curves}
    return Record(facts, moments, labels, values)


def record_of(plan: Plan, index: int) -> Record:
    """Return only the record of a fake batch."""
    *_, record = fake_batch(plan, index)
    assert isinstance(record, Record)
    return record
