"""The threads beside the sampling end with the batch, be it used up or left."""

import dataclasses
import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture, load
from entroscope_workers.sampling.runner import run_batch

MODEL = load(torch.device("cpu"))


@dataclasses.dataclass(frozen=True)
class Failing(GaussianMixture):
    """A mixture that fails when it is asked."""

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        raise ArithmeticError


LEVELS = [100 * 0.8**step for step in range(40)]
KINDS: list[dict[str, Any]] = [
    {"previews": {"samples": 4, "paired": True}},
    {"paths_from": "data", "previews": None},
    {"partitions": {"rest": "each-vs-rest"}, "complement": "rebuilt", "previews": None},
    {"studies": {"branching": {"sigma": LEVELS[20], "repeats": 4}}, "previews": None},
]


@pytest.mark.parametrize("steps_taken", [1, 3, None], ids="after {} payloads".format)
@pytest.mark.parametrize("fields", KINDS, ids=["twins", "data", "complement", "branching"])
def test_no_thread_is_left_after_a_batch(fields: dict[str, Any], steps_taken: int | None) -> None:
    document = {"model": "gaussian-mixture", "schedule": {"sigmas": LEVELS}, "trajectories": 8}
    plan = resolve(Spec.model_validate(document | fields), MODEL.info)
    before = set(threading.enumerate())
    payloads = run_batch(plan, 0, MODEL)
    for index, _ in enumerate(payloads):
        if index + 1 == steps_taken:
            assert {t for t in threading.enumerate() if t.name.startswith("noise")} - before
            break
    payloads.close()
    assert set(threading.enumerate()) <= before


def test_no_thread_is_left_after_a_batch_that_fails() -> None:
    plan = resolve(Spec.model_validate({"model": "gaussian-mixture"}), MODEL.info)
    before = set(threading.enumerate())
    with pytest.raises(ArithmeticError):
        list(run_batch(plan, 0, Failing(MODEL.device)))
    assert set(threading.enumerate()) <= before
