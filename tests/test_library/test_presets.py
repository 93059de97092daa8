"""The studies of the papers: each is a run that its model can do, at the price it states."""

import json
from pathlib import Path
from typing import Any

import pytest

from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.measurement.plan.sweep import Sweep, sweep_plans
from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope.protocol.partitions import Preset
from entroscope.protocol.presets import RunPreset
from entroscope.protocol.spec import MAX_EVALUATIONS, Spec
from entroscope.runs.presets import theory_presets
from entroscope.runs.submission import check_size
from entroscope.settings import Settings
from entroscope_workers.library.preset_files import FOLDER, run_presets
from entroscope_workers.models.adapters.labels import label_names, label_presets

SETTINGS = Settings(redis_url="redis://nowhere", data_dir=Path("nowhere"))
PRESETS = {preset.name: preset for preset in (*run_presets(), *theory_presets())}
#: Those whose labels are given in words.
PROMPTED = "stable-diffusion"


def info(name: str, labels: tuple[str, ...], **fields: Any) -> ModelInfo:
    return ModelInfo(name=name, title=name, labels=labels, **{"shape": (3, 32, 32), **fields})


MODELS = {
    "edm2-xs": info(
        "edm2-xs",
        label_names("imagenet", 1000),
        family="edm2",
        shape=(4, 64, 64),
        unconditional=True,
        presets=label_presets("imagenet"),
    ),
    "cifar10-ddpmpp": info(
        "cifar10-ddpmpp",
        label_names("cifar10", 10),
        family="edm",
        presets=label_presets("cifar10"),
    ),
    "fashion-mnist": info(
        "fashion-mnist",
        label_names("fashion-mnist", 10),
        family="fashion-mnist",
        presets=label_presets("fashion-mnist"),
    ),
    "sd15": info("sd15", (), family=PROMPTED, label_kind="prompts", unconditional=True),
    "gaussian-mixture": info("gaussian-mixture", (), family="gaussian-mixture", shape=(1,)),
}


def plans(preset: RunPreset, model: ModelInfo) -> list[Plan]:
    """Return the plans of all of its runs, each checked as the server does."""

    def check(spec: Spec) -> Plan:
        plan = resolve(spec, model)
        check_size(plan, SETTINGS)
        return plan

    sweep = Sweep(spec=preset.on(model.name).spec, vary=list(preset.vary or ({},)))
    return sweep_plans(sweep, check, MAX_EVALUATIONS)


@pytest.mark.parametrize("name", PRESETS)
def test_its_model_can_run_it_at_the_price_it_states(name: str) -> None:
    preset = PRESETS[name]
    model = MODELS[preset.model]
    assert preset.fits(model)
    made = plans(preset, model)
    assert sum(plan.evaluations for plan in made) == preset.evaluations
    work = sum(plan.work for plan in made)
    assert work / preset.evaluations == pytest.approx(preset.pair_cost, rel=0.01)


@pytest.mark.parametrize("name", PRESETS)
def test_it_says_how_to_get_the_model_that_it_names(name: str) -> None:
    preset = PRESETS[name]
    assert preset.spec["model"] == preset.model
    assert any(preset.model in line for line in preset.how_to_get)
    assert preset.title and preset.description.endswith(".")


def test_every_file_is_named_after_its_preset_and_all_are_told_apart() -> None:
    files = {path.stem: json.loads(path.read_text())["name"] for path in FOLDER.glob("*.json")}
    assert all(stem == name for stem, name in files.items())
    assert len(PRESETS) == len(run_presets()) + len(theory_presets())
    orders = [preset.order for preset in PRESETS.values()]
    assert orders == sorted(set(orders))


@pytest.mark.parametrize("name", ["edm2-xs-thousand", "cifar10-classes", "fashion-mnist-classes"])
def test_its_groups_are_those_that_the_model_offers(name: str) -> None:
    preset = PRESETS[name]
    offered: dict[str, Preset] = {own.name: own for own in MODELS[preset.model].presets}
    partitions = Spec.model_validate(preset.spec).partitions
    named = [own for own, partition in partitions.items() if isinstance(partition, list)]
    assert named
    for own in named:
        assert partitions[own] == offered[own].partition


def test_every_class_of_imagenet_is_set_against_its_complement_once() -> None:
    runs = plans(PRESETS["edm2-xs-complement-all"], MODELS["edm2-xs"])
    measured = [curve.groups[0][0] for plan in runs for curve in plan.curves]
    assert measured == list(range(1000))
    assert {plan.spec.trajectories / len(plan.curves) for plan in runs} == {300}


def test_the_guidance_study_has_the_published_scales_and_intervals() -> None:
    runs = plans(PRESETS["edm2-xs-guidance"], MODELS["edm2-xs"])
    guidances = [plan.spec.guidance for plan in runs]
    assert [own and (own.scale, own.interval) for own in guidances] == [
        None,
        (1.4, None),
        (2.1, None),
        (2.8, [0.15, 1.6]),
        (2.9, [0.48, 6.8]),
    ]
    assert len({tuple(plan.sigmas) for plan in runs}) == 1


def test_a_decision_about_a_chair_counts_the_papers_trajectories() -> None:
    preset = PRESETS["sd15-chair"]
    (plan,) = plans(preset, MODELS["sd15"])
    assert len(plan.sigmas) == 100
    for curve in plan.curves:
        share = sum(plan.prior[list(group)].sum() for group in curve.groups)
        assert plan.spec.trajectories * share == pytest.approx(400)


def test_another_model_of_the_family_stands_in_where_it_has_the_labels_and_the_branch() -> None:
    preset, own = PRESETS["edm2-xs-complement"], MODELS["edm2-xs"]
    larger = own.model_copy(update={"name": "edm2-xxl"})
    assert preset.fits(larger)
    assert preset.on("edm2-xxl").spec["model"] == "edm2-xxl"
    assert not preset.fits(larger.model_copy(update={"unconditional": False}))
    assert not preset.fits(larger.model_copy(update={"labels": own.labels[:10]}))
    assert not preset.fits(larger.model_copy(update={"family": "dit"}))


def test_all_of_them_together_are_small_enough_to_be_announced() -> None:
    size = sum(len(preset.model_dump_json()) for preset in run_presets())
    assert size < 64 * 2**10
    assert len(MODELS["edm2-xs"].model_dump_json()) < 64 * 2**10


@pytest.mark.parametrize("largest", [8, 64, 512])
def test_the_long_runs_fit_whatever_batches_the_model_takes(largest: int) -> None:
    sizes = BatchSizes(first=8, largest=largest)
    model = MODELS["edm2-xs"].model_copy(update={"batch_sizes": sizes})
    for name in ("edm2-xs-complement", "edm2-xs-complement-all", "edm2-xs-thousand"):
        assert plans(PRESETS[name], model)
