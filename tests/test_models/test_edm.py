"""EDM's DDPM++: reference numbers, its published size, and what a bad file says."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from reference import NUM_SAMPLES, Reference, assert_reproduced
from tiny.edm import CONFIG, write, write_network

from entroscope_workers.models.base import NO_LABEL, ReadsPictures
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.edm import load_entry
from entroscope_workers.models.networks.edm import EdmConfig, EDMPrecond

CPU = torch.device("cpu")
NOBODY = torch.full((NUM_SAMPLES,), NO_LABEL)


def entry(path: Path, **fields: Any) -> Entry:
    return Entry(name="mine", family="edm", path=path, **fields)


@pytest.mark.parametrize("labelled", [True, False])
def test_both_branches_reproduce_the_reference(tmp_path: Path, labelled: bool) -> None:
    path = Reference("edm_ddpmpp_cond").write(tmp_path / "cond.safetensors")
    beside = Reference("edm_ddpmpp_uncond").write(tmp_path / "uncond.safetensors")
    model = load_entry(entry(path, unconditional=beside), CPU)
    numbers = Reference("edm_ddpmpp_cond" if labelled else "edm_ddpmpp_uncond").tensors
    labels = numbers["labels"] if labelled else NOBODY
    rows = torch.arange(NUM_SAMPLES)
    found = model.denoise(numbers["x"], numbers["sigma"].double(), rows, labels)
    assert_reproduced(found, numbers["denoised"])


def test_the_zero_vector_reproduces_the_reference(tmp_path: Path) -> None:
    reference = Reference("edm_ddpmpp_cond")
    reference.config["label_dropout"] = 0.1
    model = load_entry(entry(reference.write(tmp_path / "cond.safetensors")), CPU)
    assert model.info.unconditional
    numbers, rows = reference.tensors, torch.arange(NUM_SAMPLES)
    found = model.denoise(numbers["x"], numbers["sigma"].double(), rows, NOBODY)
    assert_reproduced(found, numbers["denoised_no_label"])


def test_the_network_of_cifar_10_has_the_parameters_of_the_paper() -> None:
    config = EdmConfig(
        model_type="SongUNet",
        img_resolution=32,
        img_channels=3,
        label_dim=10,
        augment_dim=9,
        channel_mult=(2, 2, 2),
    )
    with torch.device("meta"):
        network = EDMPrecond(config)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == 55.7


def test_a_network_trained_with_every_label_has_no_unconditional_branch(tmp_path: Path) -> None:
    assert not load_entry(entry(write(tmp_path).need_path()), CPU).info.unconditional


def test_labels_may_be_a_set_that_comes_along(tmp_path: Path) -> None:
    path = Reference("edm_ddpmpp_cond").write(tmp_path / "cond.safetensors")
    info = load_entry(entry(path, labels="cifar10"), CPU).info
    assert info.labels[0] == "airplane" and len(info.labels) == 10 and info.presets
    with pytest.raises(ValueError, match=r"model 'mine': labels: .* 1000 names.* 10 labels"):
        load_entry(entry(path, labels="imagenet"), CPU)


def test_a_network_in_bfloat16_answers_nearly_the_same(tmp_path: Path) -> None:
    reference = Reference("edm_ddpmpp_cond")
    path = reference.write(tmp_path / "cond.safetensors")
    numbers, rows = reference.tensors, torch.arange(NUM_SAMPLES)
    coarse = load_entry(entry(path, dtype="bfloat16"), CPU)
    found = coarse.denoise(numbers["x"], numbers["sigma"].double(), rows, numbers["labels"])
    error = (found - numbers["denoised"]).square().mean().sqrt()
    assert 0 < float(error) < 0.02 * float(numbers["denoised"].square().mean().sqrt())


def test_pictures_are_read_and_shown_in_grey(tmp_path: Path) -> None:
    model = load_entry(write(tmp_path), CPU)
    assert isinstance(model, ReadsPictures) and model.picture_shape == (8, 8, 1)
    grey = torch.arange(64).reshape(1, 8, 8, 1).to(torch.uint8).numpy()
    assert (model.pictures(model.states(grey)) == grey).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "DhariwalUNet"}, r"config\.model_type: .*found 'DhariwalUNet'"),
        ({"encoder_type": "residual"}, r"config\.encoder_type: .*found 'residual'"),
        ({"embedding_type": "fourier"}, r"config\.embedding_type: .*found 'fourier'"),
        ({"resample_filter": [1, 3, 3, 1]}, r"config\.resample_filter.*3"),
        ({"channel_mult_noise": 2}, r"config\.channel_mult_noise: .*found 2"),
    ],
)
def test_other_architectures_are_refused_by_name(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write(tmp_path).need_path()
    path.with_suffix(".json").write_text(json.dumps({"config": {**CONFIG, **change}}))
    with pytest.raises(ValueError, match=rf"expected a network of EDM's DDPM\+\+: {message}"):
        load_entry(entry(path), CPU)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_dim": 1}, "expected a network of two classes or more, found label_dim 1"),
        ({"img_channels": 4}, "expected pictures of 1 or 3 channels, found 4"),
    ],
)
def test_a_network_that_cannot_be_measured_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write_network(tmp_path / "cond.safetensors", {**CONFIG, **change})
    with pytest.raises(ValueError, match=message):
        load_entry(entry(path), CPU)


def test_channels_that_cannot_be_normalised_in_groups_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path).need_path()
    config = {**CONFIG, "model_channels": 148}
    path.with_suffix(".json").write_text(json.dumps({"config": config}))
    with pytest.raises(ValueError, match=r"conditional\.safetensors: no network of that config"):
        load_entry(entry(path), CPU)


@pytest.mark.parametrize("field", ["config", "vae"])
def test_what_an_entry_gives_in_vain_is_said(tmp_path: Path, field: str) -> None:
    path = write(tmp_path).need_path()
    with pytest.raises(ValueError, match=f"family 'edm' has no use for {field}"):
        load_entry(entry(path, **{field: tmp_path}), CPU)
