"""A worker is killed amid the studies of a batch; neither curve nor study notices."""

from typing import Any

import numpy as np
import torch
from redis import Redis
from waiting import eventually
from workers import Crew, points_of

from entroscope.broker.event_log import EventLog
from entroscope.broker.keys import attempts_key
from entroscope.broker.run_store import RunStore
from entroscope.measurement.curves.records import Record, decode_sums
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import FINAL, State
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.sampling.runner import run_batch

MODEL = load(torch.device("cpu"))
SIGMAS = np.geomspace(100, 0.1, 16).tolist()
SPEC = {
    "model": "gaussian-mixture",
    "trajectories": 24,
    "schedule": {"sigmas": SIGMAS},
    "batch_sizes": {"first": 8, "largest": 8},
    "studies": {
        "branching": {"sigma": SIGMAS[6], "trajectories": 20, "repeats": 6},
        "switch": {"levels": 3, "trajectories": 20},
    },
}


def sums_of(frame: bytes) -> dict[str, Any]:
    """Return every array of a record: of the curves, then of the studies."""
    _, moments, studies = decode_sums(frame)
    curves = {key: np.concatenate([m.total, m.square]) for key, m in moments.items()}
    return {**curves, **{f"study {name}": array for name, array in studies.items()}}


def test_studies_that_a_killed_worker_had_begun_are_sampled_again_to_the_bit(
    redis: Redis, store: RunStore, log: EventLog, crew: Crew
) -> None:
    run = store.create(resolve(Spec.model_validate(SPEC), MODEL.info))
    victim = crew.start("victim", studying=1)
    eventually(
        lambda: (1, len(SIGMAS) - 1) in points_of(log, run.id)
    )  # the chain of the batch is done
    victim.kill()
    crew.start("heir", studying=-1)
    eventually(lambda: store.get(run.id).state in FINAL)
    assert store.get(run.id).state == State.DONE
    attempts: Any = redis.hgetall(attempts_key(run.id))
    assert {int(batch): int(count) for batch, count in attempts.items()} == {0: 1, 1: 2, 2: 1}
    for batch, frame in store.sums(run.id).items():
        *_, record = run_batch(run.plan, batch, MODEL)
        assert isinstance(record, Record)
        found, wanted = sums_of(frame), sums_of(record.encode()[0])
        assert found.keys() == wanted.keys() and any("study" in name for name in found)
        for name, array in wanted.items():
            assert found[name].tobytes() == array.tobytes(), name
