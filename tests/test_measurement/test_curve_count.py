"""How much partitions ask for is known, and bounded, before anything of it is built."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entroscope.measurement.plan.curve_count import MAX_CURVES, check_curves, count_curves
from entroscope.measurement.plan.curves import curves_of
from entroscope.measurement.plan.plan import batch_layout, count_batches
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import BatchSizes, ModelInfo, ScheduleDefaults
from entroscope.protocol.patience import Abandoned, while_wanted
from entroscope.protocol.spec import BatchPlan, Spec

NESTED = [
    {"name": "low", "groups": [{"name": "a", "labels": [0, 1]}, {"name": "b", "labels": [2]}]},
    {"name": "high", "labels": [3, 4]},
]
PARTITIONS: list[Any] = [None, "each-vs-rest", {"each": [1, 3]}, NESTED]
MIXTURE = ModelInfo(
    name="mixture",
    family="gaussian-mixture",
    title="Mixture",
    shape=(1,),
    schedule=ScheduleDefaults(steps=2, sigma_max=80, sigma_min=0.1),
    batch_sizes=BatchSizes(first=32, largest=1024),
    params_kind="mixture",
)


def spec_of(**fields: Any) -> Spec:
    return Spec.model_validate({"model": "mixture"} | fields)


@pytest.mark.parametrize("partition", PARTITIONS, ids=str)
def test_the_count_is_that_of_the_curves_that_are_built(partition: Any) -> None:
    partitions = spec_of(partitions={"p": partition}).partitions
    curves = curves_of(partitions, "abcde")
    members = sum(len(group) for curve in curves for group in curve.groups)
    count = count_curves(partitions["p"], 5)
    assert (count.curves, count.members) == (len(curves), members)


def test_partitions_of_too_many_curves_are_refused_before_these_are_built() -> None:
    partitions = spec_of(partitions={f"p{i}": "each-vs-rest" for i in range(64)}).partitions
    with pytest.raises(SpecError, match="4,096 curves whose groups hold 16,777,216 labels"):
        curves_of(partitions, tuple(map(str, range(4096))))


def test_many_small_partitions_count_together() -> None:
    partitions = spec_of(partitions={f"p{i}": "each-vs-rest" for i in range(64)}).partitions
    with pytest.raises(SpecError) as caught:
        check_curves(partitions, MAX_CURVES // 32)
    assert caught.value.field == "partitions.p32"


@given(st.integers(2, 20_000), st.integers(1, 64), st.integers(0, 300))
def test_batches_are_counted_as_they_are_laid_out(trajectories: int, first: int, more: int) -> None:
    sizes = BatchPlan(first=first, largest=first + more)
    assert count_batches(trajectories, sizes) == len(batch_layout(trajectories, sizes))


def test_a_plan_that_nobody_waits_for_stops() -> None:
    params = {"kind": "random", "components": 64, "dimension": 1}
    spec = spec_of(params=params, partitions={"p": "each-vs-rest", "q": None})
    with while_wanted(lambda: True), pytest.raises(Abandoned):
        resolve(spec, MIXTURE)
