"""Latents: the cheap glimpse, the autoencoder's picture, and what a bad folder says."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from autoencoders import (
    change_config,
    read_autoencoder,
    weights_of,
    with_old_names,
    write_autoencoder,
)
from tiny.edm2 import CONFIG, write_network

from entroscope_workers.models.adapters.latents import glimpse, load_autoencoder
from entroscope_workers.models.adapters.network_model import to_uint8
from entroscope_workers.models.adapters.preconditioned import Preconditioned
from entroscope_workers.models.base import DecodesLatents, ReadsPictures
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.edm2 import load_entry, normalised_latents, raw_latents

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autoencoder(tmp_path_factory.mktemp("vae"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return write_autoencoder(tmp_path)


def of_latents(folder: Path, vae: Path | None) -> Preconditioned:
    path = write_network(folder / "net.safetensors", {**CONFIG, "img_channels": 4})
    return load_entry(Entry(name="latent", family="edm2", path=path, vae=vae), CPU)


def latents() -> torch.Tensor:
    return 0.5 * torch.randn((5, 4, 8, 8), generator=torch.Generator().manual_seed(0))


def test_the_mean_of_all_latents_is_glimpsed_as_mid_grey() -> None:
    grey = to_uint8(glimpse(raw_latents(torch.zeros(1, 4, 8, 8))))
    assert abs(grey.astype(int) - 128).max() <= 5


def test_a_glimpse_is_linear_in_the_latents() -> None:
    a, b = torch.randn(2, 1, 4, 8, 8)
    torch.testing.assert_close(glimpse(2 * a + b), 2 * glimpse(a) + glimpse(b))


def test_normalised_latents_of_the_data_have_mean_zero_and_deviation_a_half() -> None:
    raw = torch.tensor([5.81, 3.25, 0.12, -2.15])[None, :, None, None].expand(1, 4, 8, 8)
    spread = torch.tensor([4.17, 4.62, 3.71, 3.28])[:, None, None]
    torch.testing.assert_close(normalised_latents(raw), torch.zeros(1, 4, 8, 8))
    torch.testing.assert_close(normalised_latents(raw + spread), torch.full((1, 4, 8, 8), 0.5))
    torch.testing.assert_close(raw_latents(normalised_latents(raw + 3)), raw + 3)


def test_without_an_autoencoder_latents_are_glimpsed_and_not_decoded(tmp_path: Path) -> None:
    model = of_latents(tmp_path, vae=None)
    assert not isinstance(model, DecodesLatents) and not isinstance(model, ReadsPictures)
    assert model.pictures(latents()).shape == (5, 8, 8, 3)


def test_decoded_latents_are_what_the_autoencoder_makes_of_them_in_zero_to_one(
    tmp_path: Path, folder: Path
) -> None:
    model = of_latents(tmp_path, vae=folder)
    assert isinstance(model, DecodesLatents)
    network = read_autoencoder(folder)
    with torch.inference_mode():
        expected = network.decode(raw_latents(latents())).sample.clamp(0, 1) * 255
    pictures = model.decode(latents())
    assert pictures.shape == (5, 64, 64, 3) and pictures.dtype == np.uint8
    assert pictures.std() > 10
    assert abs(pictures - expected.permute(0, 2, 3, 1).numpy()).max() <= 0.51


def test_pictures_are_encoded_as_the_normalised_mean_latents(tmp_path: Path, folder: Path) -> None:
    model = of_latents(tmp_path, vae=folder)
    assert isinstance(model, ReadsPictures) and model.picture_shape == (64, 64, 3)
    pictures = np.arange(2 * 64 * 64 * 3, dtype=np.uint8).reshape(2, 64, 64, 3)
    network = read_autoencoder(folder)
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        raw = network.encode(pixels).latent_dist.mean
    torch.testing.assert_close(model.states(pictures), normalised_latents(raw))


def test_an_autoencoder_with_names_of_old_is_read_as_the_same(folder: Path, fresh: Path) -> None:
    with_old_names(fresh)
    x = latents()
    old, new = (load_autoencoder(each, 4, CPU).decode(x) for each in (fresh, folder))
    torch.testing.assert_close(old, new)


@pytest.mark.parametrize("name", ["config.json", "diffusion_pytorch_model.safetensors"])
def test_a_file_that_is_missing_is_named(fresh: Path, name: str) -> None:
    (fresh / name).unlink()
    with pytest.raises(ValueError, match=rf"vae: .*: expected {name} in it, found "):
        load_autoencoder(fresh, 4, CPU)


def test_tensors_that_are_missing_are_named(fresh: Path) -> None:
    weights = safetensors.torch.load_file(weights_of(fresh))
    del weights["decoder.conv_in.bias"]
    safetensors.torch.save_file(weights, weights_of(fresh), {"format": "pt"})
    with pytest.raises(ValueError, match=r"vae: .* they lack 'decoder\.conv_in\.bias'"):
        load_autoencoder(fresh, 4, CPU)


def test_tensors_of_another_shape_are_named(fresh: Path) -> None:
    change_config(fresh, block_out_channels=[16, 8, 8, 8])
    with pytest.raises(ValueError, match=r"cannot be read as AutoencoderKL: .*size mismatch") as e:
        load_autoencoder(fresh, 4, CPU)
    assert "\n" not in str(e.value)


def test_weights_that_are_none_are_refused(fresh: Path) -> None:
    weights_of(fresh).write_bytes(b"weights")
    with pytest.raises(ValueError, match=r"vae: .*: cannot be read as AutoencoderKL"):
        load_autoencoder(fresh, 4, CPU)


def test_an_autoencoder_of_other_latents_is_refused(tmp_path: Path) -> None:
    vae = write_autoencoder(tmp_path / "vae", latent_channels=8)
    with pytest.raises(ValueError, match=r"vae: expected 4 channels in '.*vae', found 8"):
        of_latents(tmp_path, vae=vae)
