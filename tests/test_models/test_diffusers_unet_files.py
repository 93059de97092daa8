"""Folders with a UNet2DModel that cannot be used: refused in one sentence; nothing is run."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from tiny.diffusers_unet import edit, entry_of, write, write_unet

from entroscope_workers.models.families.diffusers_unet import load_entry

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that a test may change."""
    write(tmp_path)
    return tmp_path


WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_class_embeds": None}, "expected a class-conditional network.*unconditional"),
        ({"class_embed_type": "identity"}, "'identity' takes vectors, not classes"),
        ({"class_embed_type": "timestep"}, "expected options.classes"),
        ({"time_embedding_type": "fourier"}, "found 'time_embedding_type' 'fourier'"),
        ({"sample_size": None}, "expected 'sample_size'"),
        ({"in_channels": 2, "out_channels": 2}, "'in_channels' 1 or 3, found 2"),
        ({"out_channels": 4}, "expected 'out_channels' 3, or 6.*found 4"),
    ],
)
def test_a_network_of_another_kind_is_refused(
    folder: Path, config: dict[str, Any], message: str
) -> None:
    write_unet(folder, **config)
    with pytest.raises(ValueError, match=message):
        load_entry(entry_of(folder), CPU)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"options": {"null": 3}}, "options.null: Extra inputs are not permitted"),
        ({"options": {"null_class": 4}}, "options.null_class: .* 0 to 3, got 4"),
        ({"options": {"classes": 7}}, "expected 7 classes, found 4"),
        ({"vae": Path("vae")}, "takes no 'vae', got 'vae'"),
        ({"labels": "labels.txt"}, "labels"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(
    folder: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_entry(entry_of(folder, **fields), CPU)


def test_names_of_another_number_are_refused(folder: Path) -> None:
    entry = entry_of(folder, labels=str(folder / "labels.txt"))
    with pytest.raises(ValueError, match=r"labels\.txt' has 3 names, the network has 4"):
        load_entry(entry, CPU)


def spoil(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_files_that_are_missing_or_spoilt_are_named(folder: Path) -> None:
    def refused(message: str) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            load_entry(entry_of(folder), CPU)
        assert "\n" not in str(caught.value)

    edit(folder / "unet/config.json", block_out_channels=[8, 32])
    refused("unet: cannot be read as UNet2DModel: .*size mismatch")
    edit(folder / "unet/config.json", block_out_channels=[8, 16], add_attention=False)
    refused("weights of its UNet2DModel; they hold one too many: 'mid_block.attentions")
    write_unet(folder)
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    del weights["conv_in.weight"]
    safetensors.torch.save_file(weights, folder / WEIGHTS, {"format": "pt"})
    refused("weights of its UNet2DModel; they lack 'conv_in.weight'")
    edit(folder / "unet/config.json", _class_name="UNet2DConditionModel")
    refused("config.json: expected class 'UNet2DModel', found 'UNet2DConditionModel'")
    write_unet(folder)
    spoil(folder / WEIGHTS)
    refused("unet: cannot be read as UNet2DModel: ")
    (folder / WEIGHTS).unlink()
    refused(r"expected diffusion_pytorch_model.safetensors in it, found config.json")
    (folder / "unet/config.json").write_text("{")
    refused("config.json: expected JSON")
    (folder / "unet/config.json").unlink()
    refused("unet: expected config.json in it, found nothing")
    edit(folder / "scheduler/scheduler_config.json", _class_name="FlowMatchEulerDiscreteScheduler")
    refused("scheduler_config.json: no DDPM-type scheduler is called 'FlowMatch")


def test_a_pickle_that_would_run_something_is_not_run(folder: Path, tmp_path: Path) -> None:
    class Gadget:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    (folder / WEIGHTS).unlink()
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Gadget()))
    with pytest.raises(ValueError, match="unet: cannot be read as UNet2DModel"):
        load_entry(entry_of(folder), CPU)
    assert not (tmp_path / "ran").exists()


def test_a_file_instead_of_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="expected a folder as diffusers writes it"):
        load_entry(entry_of(folder / WEIGHTS), CPU)
