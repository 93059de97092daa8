"""Paired differences of two runs, and what makes runs incomparable."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.curves.comparison import check_comparable, compare, unguided
from entroscope.measurement.curves.trajectories import Trajectories
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import Conflict, SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.quantities import ENTROPY, PRODUCTION, SHOWN
from entroscope.protocol.spec import Spec

INFO = ModelInfo(
    name="m", family="m", title="M", labels=("a", "b", "c"), shape=(1,), unconditional=True
)
LABELS = np.arange(60) % 3
GUIDANCE = {"scale": 2}


def plan_of(**fields: Any) -> Plan:
    spec = {"model": "m", "trajectories": 60, "schedule": {"steps": 5}, **fields}
    return resolve(Spec.model_validate(spec), INFO)


def drawn(plan: Plan, seed: int = 0) -> NDArray[np.float32]:
    """Return values (curves, quantities, steps, trajectories)."""
    shape = (len(plan.curves), len(SHOWN), len(plan.sigmas), len(LABELS))
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def trajectories(plan: Plan, values: NDArray[np.float32]) -> Trajectories:
    keyed = dict(zip((curve.key for curve in plan.curves), values, strict=True))
    return Trajectories.of([{"labels": LABELS, **keyed}])


def compared(plan: Plan, apart: NDArray[np.float32]) -> dict[str, Any]:
    """Compare a run whose values are `apart` from those of its base."""
    base = drawn(plan)
    one, other = (trajectories(plan, values) for values in (base + apart, base))
    return compare(plan, plan_of(**(plan.spec.document() | {"guidance": None})), one, other)


def test_what_both_runs_share_leaves_the_error_of_the_difference() -> None:
    plan = plan_of(guidance=GUIDANCE)
    apart = 0.01 * drawn(plan, 1)
    curve = compared(plan, apart)["curves"]["classes"]
    np.testing.assert_allclose(curve["entropy"], apart[0, ENTROPY.row].mean(1), atol=1e-6)
    expected = apart[0, PRODUCTION.row].std(1, ddof=1) / np.sqrt(60)
    np.testing.assert_allclose(curve["production_se"], expected, rtol=1e-3)
    unpaired = drawn(plan)[0, PRODUCTION.row].std(1, ddof=1) / np.sqrt(60)
    assert (np.array(curve["production_se"]) < 0.02 * unpaired).all()


def test_a_class_is_the_trajectories_whose_label_it_is() -> None:
    plan = plan_of(guidance=GUIDANCE)
    apart = np.zeros_like(drawn(plan))
    apart[0, PRODUCTION.row] = LABELS  # classes gain 0, 1 and 2 bits per ln sigma
    differences = compared(plan, apart)["redistributions"]["classes"]
    assert [(c["label"], c["n"]) for c in differences["classes"]] == [
        ("a", 20),
        ("b", 20),
        ("c", 20),
    ]
    for name, value in (("low", 0.5), ("median", 1.0), ("high", 1.5)):
        assert differences[name] == pytest.approx([value] * 5, abs=1e-6)
    assert differences["classes"][2]["production"] == pytest.approx([2.0] * 5, abs=1e-6)
    assert differences["classes"][2]["production_se"] == pytest.approx([0.0] * 5, abs=1e-6)


def test_in_each_against_the_rest_a_class_is_its_own_decision() -> None:
    plan = plan_of(guidance=GUIDANCE, partitions={"rest": "each-vs-rest"})
    apart = np.zeros_like(drawn(plan))
    apart[1, PRODUCTION.row] = 1.0
    differences = compared(plan, apart)["redistributions"]
    assert list(differences) == ["rest"]
    gains = {c["label"]: c["production"][0] for c in differences["rest"]["classes"]}
    assert gains == pytest.approx({"a": 0, "b": 1, "c": 0}, abs=1e-6)
    assert [c["n"] for c in differences["rest"]["classes"]] == [60, 60, 60]


def test_trajectories_outside_a_partition_do_not_count() -> None:
    groups = [{"name": name, "labels": [name]} for name in ("a", "b")]
    plan = plan_of(guidance=GUIDANCE, partitions={"pair": groups, "classes": None})
    values = drawn(plan)
    values[0][..., LABELS == 2] = np.nan
    both = trajectories(plan, values)
    differences = compare(plan, plan_of(**(plan.spec.document() | {"guidance": None})), both, both)
    assert differences["curves"]["pair"]["n"] == 40 and differences["curves"]["classes"]["n"] == 60
    assert differences["curves"]["pair"]["entropy"] == [0.0] * 5
    assert [c["label"] for c in differences["redistributions"]["pair"]["classes"]] == ["a", "b"]


def test_a_run_that_stopped_early_is_compared_over_what_both_have() -> None:
    plan, base_plan = plan_of(guidance=GUIDANCE, target_se_bits=0.1), plan_of()
    values = drawn(plan)
    one, other = trajectories(plan, values).first(24), trajectories(plan, values)
    differences = compare(plan, base_plan, one, other)
    assert differences["trajectories"] == differences["curves"]["classes"]["n"] == 24


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"trajectories": 61}, "trajectories"),
        ({"schedule": {"steps": 5, "sigma_max": 70}}, "schedule.sigma_max"),
        ({"partitions": {"rest": "each-vs-rest"}}, "partitions.rest"),
        ({"prior": {"a": 2.0, "b": 1.0, "c": 1.0}}, "prior"),
        ({"prune_below": 0.001}, "prune_below"),
    ],
)
def test_runs_that_differ_in_more_than_guidance_are_refused_by_the_field(
    fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(SpecError, match="must be the same in both runs") as caught:
        check_comparable(plan_of(guidance=GUIDANCE), plan_of(**fields))
    assert caught.value.field == named


def test_other_weights_are_another_model() -> None:
    plan, base = plan_of(guidance=GUIDANCE), plan_of()
    newer = Plan(base.spec, INFO.model_copy(update={"weights_hash": "new"}))
    with pytest.raises(SpecError, match="weights of 'm' have changed"):
        check_comparable(plan, newer)


def test_values_too_large_to_be_kept_are_a_conflict_that_says_what_to_do() -> None:
    values = drawn(plan_of())[0]
    with pytest.raises(Conflict, match=r"more than 8 MiB .*batch_sizes\.largest"):
        Trajectories.of([{"labels": LABELS, "classes": values}, {"labels": LABELS}])


def test_the_twin_of_a_guided_run_is_comparable_and_that_of_another_does_not_exist() -> None:
    plan = plan_of(guidance=GUIDANCE)
    check_comparable(plan, Plan(unguided(plan.spec), INFO))
    with pytest.raises(SpecError, match="not guided"):
        unguided(plan_of().spec)
