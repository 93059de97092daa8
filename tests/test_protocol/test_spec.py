"""Specs: strict at the border, resolved once, the same hash for the same numbers."""

from typing import Any

import pytest
from pydantic import ValidationError

from entroscope.measurement.plan.plan import Plan, batch_layout, spec_hash
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import BatchPlan, Spec

GARMENTS = ModelInfo(
    name="garments",
    family="garments",
    title="Garments",
    labels=("top", "bag", "boot", "1"),
    prior=(0.4, 0.3, 0.2, 0.1),
    shape=(1, 2, 2),
)
MIXTURE = ModelInfo(name="gm", family="gaussian-mixture", title="Mixture", shape=(1,))


def plan(info: ModelInfo = GARMENTS, **fields: Any) -> Plan:
    return resolve(Spec.model_validate({"model": info.name, **fields}), info)


def group(name: str, *labels: str | int) -> dict[str, Any]:
    return {"name": name, "labels": list(labels)}


def test_what_is_left_out_comes_from_the_model() -> None:
    resolved = resolve(Spec(model="garments"), GARMENTS).spec
    assert resolved.schedule.model_dump() == GARMENTS.schedule.model_dump()
    assert resolved.batch_sizes == BatchPlan(first=16, largest=64)


def test_a_resolved_spec_resolves_to_itself() -> None:
    resolved = resolve(Spec(model="garments", seed=3), GARMENTS).spec
    assert resolve(Spec.model_validate(resolved.document()), GARMENTS).spec == resolved


def test_previews_do_not_change_the_identity_of_a_spec_but_the_seed_does() -> None:
    base, quiet, other = (
        Spec.model_validate({"model": "garments", **more})
        for more in ({}, {"previews": None}, {"seed": 1})
    )
    assert spec_hash(base) == spec_hash(quiet) != spec_hash(other)
    assert spec_hash(base, "weights") != spec_hash(base, "other weights")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"schedule": {"steps": 1}}, "schedule.steps"),
        ({"schedule": {"steps": 10**6}}, "schedule.steps"),
        ({"schedule": {"steps": 3.5}}, "schedule.steps"),
        ({"schedule": {"sigma_max": float("nan")}}, "schedule.sigma_max"),
        ({"schedule": {"sigma_min": float("inf")}}, "schedule.sigma_min"),
        ({"schedule": {"sigma_min": 0}}, "schedule.sigma_min"),
        ({"schedule": {"sigma_min": 2, "sigma_max": 1}}, "schedule"),
        ({"schedule": {"sigma": 1}}, "schedule.sigma"),
        ({"trajectories": 1}, "trajectories"),
        ({"trajectories": "256"}, "trajectories"),
        ({"trajectories": True}, "trajectories"),
        ({"seed": -1}, "seed"),
        ({"target_se_bits": 0}, "target_se_bits"),
        ({"partitions": {}}, "partitions"),
        ({"partitions": {"A B": None}}, "partitions"),
        ({"partitions": {"a": [{"name": "x", "labels": []}]}}, "partitions.a"),
        ({"partitions": {"a": "some-vs-rest"}}, "partitions.a"),
        ({"guidance": {"scale": "strong"}}, "guidance.scale"),
        ({"colour": "red"}, "colour"),
        ({"schema": 2}, "schema"),
        ({"batch_sizes": {"first": 8, "largest": 4}}, "batch_sizes"),
        ({"previews": {"samples": 1000}}, "previews.samples"),
    ],
)
def test_a_field_that_is_off_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate({"model": "garments", **fields})
    places = [".".join(str(part) for part in e["loc"]) for e in caught.value.errors()]
    assert any(place.startswith(field) for place in places), places


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"partitions": {"a": [group("x", "top"), group("y", "sock")]}}, "partitions.a.1", "sock"),
        ({"partitions": {"a": [group("x", 0), group("y", 9)]}}, "partitions.a.1", "9"),
        ({"partitions": {"a": [group("x", 0), group("y", "top")]}}, "partitions.a.1", "already"),
        ({"partitions": {"a": [group("x", 0, 1)]}}, "partitions.a", "2 groups"),
        ({"partitions": {"a": [group("x", 0), group("x", 1)]}}, "partitions.a", "same name"),
        ({"prior": {"sock": 1}}, "prior", "sock"),
        ({"prior": {"top": 1}}, "prior", "no weight"),
        ({"params": {"kind": "pair"}}, "params", "no parameters"),
        ({"schedule": {"sigma_max": 0.01}}, "schedule.sigma_max", "0.01"),
        ({"schedule": {"sigma_min": 100}}, "schedule.sigma_min", "100"),
    ],
)
def test_what_the_model_cannot_run_is_named(fields: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        plan(**fields)
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"kind": "cube"}, "params"),
        ({"kind": "pair", "dimension": 0}, "params.dimension"),
        ({"kind": "points", "means": [[0], [1, 2]]}, "params"),
        ({"kind": "points", "priors": [1]}, "params"),
        ({"kind": "random", "components": 4096, "dimension": 16384}, "params"),
        ({"kind": "pair", "colour": 1}, "params.colour"),
        ({"kind": "points", "priors": [1e-320, 1, 1, 1]}, "params"),
        ({"kind": "points", "priors": [1e308, 1e308, 1e308, 1e308]}, "params"),
        ({"kind": "points", "std": 1e-300}, "schedule.sigma_min"),
        ({"kind": "tree", "dimension": 16384, "offsets": [1e6] * 6}, "schedule.sigma_max"),
        ({"kind": "pair", "dimension": 16384, "offset": 1e6}, "schedule.sigma_max"),
    ],
)
def test_a_parameter_of_a_mixture_that_is_off_is_named(params: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as caught:
        plan(MIXTURE, params=params)
    assert caught.value.field.startswith(field)


def test_a_noise_level_that_params_bring_out_of_range_is_told_with_its_bound() -> None:
    with pytest.raises(SpecError, match=r"must be >= 1e-08; the default .* is 1e-301") as caught:
        plan(MIXTURE, params={"kind": "points", "std": 1e-300})
    assert caught.value.value == pytest.approx(1e-301)


@pytest.mark.parametrize("weights", [(1e-320, 1), (1e308, 1e308, 1e308), (1e-200, 1e200)])
def test_a_weight_that_vanishes_beside_others_is_refused(weights: tuple[float, ...]) -> None:
    prior = dict(zip(("top", "bag", "boot"), weights, strict=False))
    partition = [group("x", "top"), group("y", *list(prior)[1:])]
    with pytest.raises(SpecError, match="every share must be > 1e-100"):
        plan(prior=prior, partitions={"a": partition})


def test_a_label_is_a_name_or_an_index_and_a_name_of_digits_is_a_name() -> None:
    found = plan(partitions={"a": [group("x", "1"), group("y", 1)]}).curves[0]
    assert found.groups == ((1,), (0,))  # columns 1 and 0 of the run labels ("bag", "1")


def test_only_the_labels_of_the_partitions_are_evaluated() -> None:
    some = plan(partitions={"a": [group("x", "boot"), group("y", "bag")]}, companions=0)
    assert some.columns.tolist() == [1, 2]
    assert some.prior.tolist() == pytest.approx([0.6, 0.4])
    assert some.evaluations == 256 * 32 * 2


def test_each_against_the_rest_makes_one_curve_a_label() -> None:
    curves = plan(partitions={"rest": "each-vs-rest"}).curves
    assert [curve.key for curve in curves] == ["rest.top", "rest.bag", "rest.boot", "rest.1"]
    assert curves[1].groups == ((1,), (0, 2, 3))


def test_the_prior_is_the_models_or_uniform_or_given() -> None:
    assert plan().prior.tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert plan(prior="uniform").prior.tolist() == pytest.approx([0.25] * 4)
    given = plan(prior={"top": 1, "bag": 1, "boot": 1, "1": 5}).prior
    assert given.tolist() == pytest.approx([0.125] * 3 + [0.625])


@pytest.mark.parametrize("trajectories", [2, 16, 17, 256, 1000])
def test_batches_cover_every_trajectory_once_and_grow(trajectories: int) -> None:
    batches = batch_layout(trajectories, BatchPlan(first=16, largest=64))
    assert [start for start, _ in batches] == [
        sum(size for _, size in batches[:i]) for i in range(len(batches))
    ]
    assert sum(size for _, size in batches) == trajectories
    sizes = [size for _, size in batches[:-1]]
    assert sizes == sorted(sizes)


def test_more_trajectories_keep_the_batches_that_were_full() -> None:
    sizes = BatchPlan(first=16, largest=64)
    assert batch_layout(500, sizes)[:4] == batch_layout(16 + 32 + 64 + 64, sizes)
