"""How large a run may be: in evaluations, and in what its batches leave behind."""

from pathlib import Path
from typing import Any

import pytest

from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope.runs.submission import check_size
from entroscope.settings import Settings

THOUSAND = ModelInfo(
    name="thousand",
    family="toy",
    title="Thousand",
    labels=tuple(map(str, range(1000))),
    shape=(4, 64, 64),
    unconditional=True,
)
SETTINGS = Settings(redis_url="redis://nowhere", data_dir=Path("nowhere"))
PAIRS: dict[str, Any] = {"partitions": {"rest": "each-vs-rest"}, "complement": "unconditional"}


def sized(**fields: Any) -> Plan:
    spec = {"model": "thousand", "schedule": {"steps": 64}, "companions": 0, **fields}
    plan = resolve(Spec.model_validate(spec), THOUSAND)
    check_size(plan, SETTINGS)
    return plan


def test_a_run_over_a_thousand_classes_is_within_the_limits() -> None:
    assert sized(trajectories=300).evaluations == 300 * 64 * 1000


def test_every_class_against_the_exact_rest_is_too_large_a_record() -> None:
    with pytest.raises(SpecError, match=r"1000 curves x 64 steps x 1000 labels .* limit is 64 MiB"):
        sized(partitions={"rest": "each-vs-rest"})


def test_every_pair_at_once_fits_a_record_but_not_hundreds_of_them() -> None:
    sized(**PAIRS, trajectories=2000)
    with pytest.raises(SpecError, match=r"each of 470 batches; the limit for all is 4096 MiB"):
        sized(**PAIRS, trajectories=30_000)


def test_fifty_pairs_at_a_time_are_small() -> None:
    sizes = {"first": 64, "largest": 1024}
    some = {"partitions": {"rest": {"each": list(range(50))}}, "batch_sizes": sizes}
    assert sized(**PAIRS | some, trajectories=15_000).evaluations == 15_000 * 64 * 2
