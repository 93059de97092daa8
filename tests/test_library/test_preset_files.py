"""The studies of the papers run, shortened, on tiny networks of the families they are for."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import edm, edm2, stable_diffusion

from entroscope.measurement.plan.sweep import merge_patch
from entroscope_workers import measure
from entroscope_workers.library.preset_files import run_presets
from entroscope_workers.library.registry import load_entry
from entroscope_workers.models.base import Model

PRESETS = {preset.name: preset for preset in run_presets()}
#: Trajectories of the shortened run of each, enough for every pair to have its two.
SHORT = {
    "edm2-xs-complement": 16,
    "edm2-xs-complement-all": 100,
    "edm2-xs-thousand": 2,
    "edm2-xs-guidance": 10,
    "cifar10-classes": 8,
    "sd15-chair": 6,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    """Tiny models under the names that the presets know, with as many labels."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("edm2-xs", "cifar10-ddpmpp")}
    entries = [
        labelled(edm2, folders["edm2-xs"], "edm2-xs", "imagenet", 1000),
        labelled(edm, folders["cifar10-ddpmpp"], "cifar10-ddpmpp", "cifar10", 10),
        stable_diffusion.write(tmp_path_factory.mktemp("sd15")).model_copy(update={"name": "sd15"}),
    ]
    return {entry.name: load_entry(entry, torch.device("cpu")) for entry in entries}


def labelled(family: Any, folder: Path, name: str, labels: str, count: int) -> Any:
    """Write a family's tiny model with that many labels."""
    entry = family.write(folder)
    path = family.write_network(folder / "more.safetensors", {**family.CONFIG, "label_dim": count})
    return entry.model_copy(update={"name": name, "path": path, "labels": labels})


@pytest.mark.parametrize("name", SHORT)
def test_a_study_runs_on_a_model_of_its_family(name: str, models: dict[str, Model]) -> None:
    preset = PRESETS[name]
    model = models[preset.model]
    assert preset.fits(model.info)
    short = {"trajectories": SHORT[name], "schedule": {"steps": 3}, "previews": None}
    last = (preset.vary or ({},))[-1]
    result = measure(model, merge_patch(merge_patch(preset.spec, last), short))
    assert result["trajectories"] == SHORT[name]
    for curve in result["curves"].values():
        if curve["n"]:
            assert 0 <= curve["entropy"][-1] <= curve["entropy"][0] + 1
            assert curve["entropy"][0] == pytest.approx(curve["bound"])


def test_every_study_of_a_network_is_tried() -> None:
    assert set(SHORT) == set(PRESETS) - {"fashion-mnist-classes"}
