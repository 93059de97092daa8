"""EDM2: reference numbers, sizes of the paper, latents, and what a bad file says."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from reference import NUM_SAMPLES, Reference, assert_reproduced
from tiny.edm2 import CONFIG, random_weights, write, write_network

from entroscope_workers import measure
from entroscope_workers.models.adapters.preconditioned import Preconditioned
from entroscope_workers.models.base import NO_LABEL, DecodesLatents, ReadsPictures
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.edm2 import load_entry
from entroscope_workers.models.networks.edm2 import Edm2Config, Precond

CPU = torch.device("cpu")
NOBODY = torch.full((NUM_SAMPLES,), NO_LABEL)


def entry(path: Path, **fields: Any) -> Entry:
    return Entry(name="mine", family="edm2", path=path, **fields)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Preconditioned:
    """The reference networks: a conditional one of ten classes, and the unconditional one."""
    folder = tmp_path_factory.mktemp("reference")
    path = Reference("edm2_cond").write(folder / "cond.safetensors")
    beside = Reference("edm2_uncond").write(folder / "uncond.safetensors")
    return load_entry(entry(path, unconditional=beside), CPU)


def test_labelled_pairs_reproduce_the_reference(published: Preconditioned) -> None:
    numbers = Reference("edm2_cond").tensors
    rows = torch.arange(NUM_SAMPLES)
    found = published.denoise(numbers["x"], numbers["sigma"].double(), rows, numbers["labels"])
    assert_reproduced(found, numbers["denoised"])


def test_pairs_without_label_reproduce_the_unconditional_reference(
    published: Preconditioned,
) -> None:
    numbers = Reference("edm2_uncond").tensors
    rows = torch.arange(NUM_SAMPLES)
    found = published.denoise(numbers["x"], numbers["sigma"].double(), rows, NOBODY)
    assert_reproduced(found, numbers["denoised"])


def test_the_zero_vector_reproduces_the_reference(tmp_path: Path) -> None:
    path = Reference("edm2_cond").write(tmp_path / "cond.safetensors")
    model = load_entry(entry(path, options={"label_dropout": True}), CPU)
    numbers = Reference("edm2_cond").tensors
    rows = torch.arange(NUM_SAMPLES)
    found = model.denoise(numbers["x"], numbers["sigma"].double(), rows, NOBODY)
    assert_reproduced(found, numbers["denoised_no_label"])


def test_labelled_and_unlabelled_pairs_may_be_asked_together(published: Preconditioned) -> None:
    x, sigma = torch.randn(2, 4, 16, 16), torch.tensor([0.3, 5.0]).double()
    rows, labels = torch.tensor([1, 0, 1, 0]), torch.tensor([NO_LABEL, 3, 4, NO_LABEL])
    together = published.denoise(x, sigma, rows, labels)
    for pair in range(4):
        some = slice(pair, pair + 1)
        alone = published.denoise(x, sigma, rows[some], labels[some])
        torch.testing.assert_close(together[some], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("base", "millions"),
    [(128, 125), (192, 280), (256, 498), (320, 777), (384, 1119), (448, 1523)],
)
def test_networks_from_xs_to_xxl_have_the_parameters_of_the_paper(base: int, millions: int) -> None:
    config = Edm2Config(img_resolution=64, img_channels=4, label_dim=1000, model_channels=base)
    with torch.device("meta"):
        network = Precond(config)
    count = sum(parameter.numel() for parameter in network.unet.parameters())
    assert round(count / 1e6) == millions


def test_a_network_in_bfloat16_answers_in_float32_and_nearly_the_same(
    published: Preconditioned, tmp_path: Path
) -> None:
    path = Reference("edm2_cond").write(tmp_path / "cond.safetensors")
    coarse = load_entry(entry(path, dtype="bfloat16"), CPU)
    numbers = Reference("edm2_cond").tensors
    rows = torch.arange(NUM_SAMPLES)
    found = coarse.denoise(numbers["x"], numbers["sigma"].double(), rows, numbers["labels"])
    assert found.dtype == torch.float32
    error = (found - numbers["denoised"]).square().mean().sqrt()
    assert 0 < float(error) < 0.02 * float(numbers["denoised"].square().mean().sqrt())


def test_a_network_in_float16_moves_the_curve_by_less_than_its_error(tmp_path: Path) -> None:
    spec = {"trajectories": 12, "schedule": {"steps": 8}, "previews": None}
    curves = []
    for dtype in ("float32", "float16"):
        model = load_entry(write(tmp_path).model_copy(update={"dtype": dtype}), CPU)
        curves.append(measure(model, spec)["curves"]["classes"])
    fine, coarse = (torch.tensor(curve["entropy"], dtype=torch.float64) for curve in curves)
    moved = float((fine - coarse).abs().max())
    assert 0 < moved < max(curves[0]["entropy_se"]) / 5


def test_weights_saved_in_float16_are_read(tmp_path: Path) -> None:
    path = write_network(tmp_path / "half.safetensors", CONFIG)
    halves = {name: weight.half() for name, weight in random_weights(CONFIG).items()}
    safetensors.torch.save_file(halves, path)
    x = torch.randn(1, 3, 8, 8)
    pair = (torch.ones(1).double(), torch.tensor([0]), torch.tensor([1]))
    assert load_entry(entry(path), CPU).denoise(x, *pair).isfinite().all()


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    info = load_entry(write(tmp_path), CPU).info
    assert info.labels == ("0", "1", "2", "3") and info.shape == (3, 8, 8)
    assert info.schedule.model_dump() == {
        "steps": 64,
        "sigma_max": 80.0,
        "sigma_min": 0.002,
        "rho": 7.0,
    }
    assert info.unconditional and info.weights_hash is not None and len(info.weights_hash) == 16


def test_without_an_unconditional_network_there_is_no_unconditional_branch(tmp_path: Path) -> None:
    alone = entry(write(tmp_path).need_path())
    assert not load_entry(alone, CPU).info.unconditional


def test_the_hash_changes_with_either_network(tmp_path: Path) -> None:
    both = write(tmp_path)
    alone = both.model_copy(update={"unconditional": None})
    hashes = {load_entry(which, CPU).info.weights_hash for which in (both, alone)}
    assert len(hashes) == 2


def test_labels_are_named_by_a_file(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\nship\nfrog\n")
    model = load_entry(entry(write(tmp_path).need_path(), labels=str(names)), CPU)
    assert model.info.labels == ("cat", "dog", "ship", "frog")


def test_pixels_are_read_and_shown(tmp_path: Path) -> None:
    model = load_entry(write(tmp_path), CPU)
    assert isinstance(model, ReadsPictures) and not isinstance(model, DecodesLatents)
    pixels = torch.arange(2 * 8 * 8 * 3).remainder(256).reshape(2, 8, 8, 3).to(torch.uint8).numpy()
    assert model.picture_shape == (8, 8, 3)
    assert (model.pictures(model.states(pixels)) == pixels).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_dim": 0}, r"cond\.safetensors: expected a network of two classes.* label_dim 0"),
        ({"img_channels": 7}, r"expected data of 1 or 3 channels \(pixels\) or 4.* found 7"),
    ],
)
def test_a_network_that_cannot_be_measured_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write_network(tmp_path / "cond.safetensors", {**CONFIG, **change})
    with pytest.raises(ValueError, match=message):
        load_entry(entry(path), CPU)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, r"expected an unconditional network \(label_dim 0\), found label_dim 4"),
        (
            {"label_dim": 0, "img_channels": 1},
            r"expected data of shape \(3, 8, 8\).*found \(1, 8, 8\)",
        ),
    ],
)
def test_an_unconditional_network_of_another_kind_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write(tmp_path).need_path()
    beside = write_network(tmp_path / "other.safetensors", {**CONFIG, **change})
    with pytest.raises(ValueError, match=rf"other\.safetensors: {message}"):
        load_entry(entry(path, unconditional=beside), CPU)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"options": {"depth": 3}}, r"'mine'.*has no options, got \['depth'\]"),
        ({"options": {"label_dropout": "yes"}}, "label_dropout must be true or false, got 'yes'"),
        ({"config": Path("there")}, "family 'edm2' has no use for config, got 'there'"),
        ({"vae": Path("there")}, r"a vae is for latents of 4 channels.*has 3"),
    ],
)
def test_what_an_entry_gives_in_vain_is_said(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_entry(entry(write(tmp_path).need_path(), **fields), CPU)


@pytest.mark.parametrize("broken", [{"img_resolution": 9}, {"model_channels": 28}])
def test_a_configuration_that_does_not_come_out_even_is_refused(
    tmp_path: Path, broken: dict[str, Any]
) -> None:
    path = write(tmp_path).need_path()
    document = {"class_name": "Precond", "config": {**CONFIG, **broken}}
    path.with_suffix(".json").write_text(json.dumps(document))
    with pytest.raises(
        ValueError, match=r"a network of EDM2: config: .*(halve 1 times|into heads)$"
    ):
        load_entry(entry(path), CPU)
