"""DiT: diffusers' own scheduler and pipeline are the reference, files are untrusted."""

import json
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from tiny.dit import VAE, write, write_transformer
from torch import Tensor

from entroscope_workers.models.base import NO_LABEL, DecodesLatents
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.dit import Dit, load_entry

CPU = torch.device("cpu")


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def entry_of(folder: Path, **fields: Any) -> Entry:
    return Entry(name="mine", family="dit", path=folder, **fields)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Dit:
    return load_entry(write(tmp_path_factory.mktemp("tiny")), CPU)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one's own, to be spoilt."""
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("out_channels", [4, 8])
def test_denoised_is_the_schedulers_original_sample(
    folder: Path, prediction: str, out_channels: int
) -> None:
    network = write_transformer(folder, out_channels=out_channels).eval()
    scheduler = diffusers.DDPMScheduler(prediction_type=prediction, clip_sample=False)
    scheduler.save_pretrained(folder / "scheduler")
    model = load_entry(entry_of(folder), CPU)
    data, noise = normal(1, 4, 8, 8), normal(1, 4, 8, 8, seed=1)
    # The class after the last one is the null class.
    for step, label in ((0, 0), (40, 2), (500, NO_LABEL), (999, 1)):
        noisy, t = scheduler.add_noise(data, noise, torch.tensor([step])), torch.tensor([step])
        with torch.no_grad():
            output = network(noisy, timestep=t, class_labels=torch.tensor([label % 4])).sample
        theirs = scheduler.step(output[:, :4], step, noisy).pred_original_sample
        signal = scheduler.alphas_cumprod[step].double()
        sigma, x = ((1 - signal) / signal).sqrt()[None], noisy / signal.sqrt().float()
        ours = model.denoise(x, sigma, torch.tensor([0]), torch.tensor([label]))
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(x.abs().max()))


def test_half_of_the_digits_change_the_answer_a_little(folder: Path, model: Dit) -> None:
    half = load_entry(entry_of(folder, dtype="bfloat16"), CPU)
    x, sigma = normal(3, 4, 8, 8), torch.tensor([0.1, 1.0, 9.0], dtype=torch.float64)
    rows, labels = torch.arange(3), torch.tensor([0, 2, NO_LABEL])
    whole, found = (each.denoise(x, sigma, rows, labels) for each in (model, half))
    assert found.dtype == torch.float32 and not torch.equal(whole, found)
    # What rounding does to the noise, sigma does to the datum.
    assert float(((whole - found) / sigma.float()[:, None, None, None]).abs().max()) < 0.01


def test_labels_are_not_dropped_at_random(model: Dit) -> None:
    # In training one in ten would be: of 100 answers to one question several would differ.
    x, sigma = normal(1, 4, 8, 8), torch.tensor([2.0], dtype=torch.float64)
    rows, labels = torch.zeros(100, dtype=torch.int64), torch.ones(100, dtype=torch.int64)
    answers = model.denoise(x, sigma, rows, labels)
    torch.testing.assert_close(answers, answers[:1].expand_as(answers), rtol=0, atol=1e-6)


def test_decoded_pictures_are_those_of_the_pipelines_autoencoder(folder: Path, model: Dit) -> None:
    vae = diffusers.AutoencoderKL.from_pretrained(folder / "vae", low_cpu_mem_usage=False)
    mine = load_entry(entry_of(folder), CPU)
    assert isinstance(mine, DecodesLatents)
    latents = normal(5, 4, 8, 8)
    with torch.no_grad():
        decoded = vae.decode(latents / 0.18215).sample
    expected = ((decoded / 2 + 0.5).clamp(0, 1) * 255).permute(0, 2, 3, 1).numpy()
    found = mine.decode(latents)
    assert found.shape == (5, 16, 16, 3) and found.dtype == np.uint8
    assert float(np.abs(found - expected).max()) <= 0.51  # rounded


def test_the_decoder_may_be_elsewhere(folder: Path, tmp_path: Path) -> None:
    here, there = folder / "vae", tmp_path / "elsewhere"
    here.rename(there)
    with pytest.raises(ValueError, match=r"vae: .*vae: expected config.json in it, found no such"):
        load_entry(entry_of(folder), CPU)
    assert load_entry(entry_of(folder, vae=there), CPU).decode(normal(1, 4, 8, 8)).any()


def test_a_glimpse_is_linear_and_neither_black_nor_white(model: Dit) -> None:
    grey = model.pictures(torch.zeros(1, 4, 8, 8))
    assert (grey == 128).all()
    seen = model.pictures(0.5 * normal(4, 4, 8, 8)).astype(int)
    mirrored = model.pictures(-0.5 * normal(4, 4, 8, 8)).astype(int)
    assert seen.std() > 20
    assert np.abs(seen + mirrored - 255).max() <= 1


def test_names_are_those_of_the_folder_the_entry_or_numbers(folder: Path) -> None:
    def names(**fields: Any) -> tuple[str, ...]:
        return load_entry(entry_of(folder, **fields), CPU).info.labels

    assert names() == ("crane (0)", "crane (1)", "tench")
    (folder / "names.txt").write_text("one\ntwo\nthree\n")
    assert names(labels=str(folder / "names.txt")) == ("one", "two", "three")
    (folder / "model_index.json").unlink()
    assert names() == ("0", "1", "2")


def test_the_hash_covers_weights_and_schedule_alone(folder: Path, model: Dit) -> None:
    changed = load_entry(entry_of(folder, title="Other"), CPU)
    assert changed.info.weights_hash == model.info.weights_hash
    diffusers.DDIMScheduler(beta_end=0.03).save_pretrained(folder / "scheduler")
    assert load_entry(entry_of(folder), CPU).info.weights_hash != model.info.weights_hash


def test_a_network_or_decoder_of_other_latents_is_refused(folder: Path) -> None:
    write_transformer(folder, in_channels=3, out_channels=3)
    with pytest.raises(ValueError, match=r"expected latents of 4 channels.*found 3"):
        load_entry(entry_of(folder), CPU)
    write_transformer(folder, out_channels=5)
    with pytest.raises(ValueError, match=r"expected 'out_channels' 4, or 8.*found 5"):
        load_entry(entry_of(folder), CPU)
    write_transformer(folder)
    diffusers.AutoencoderKL(**{**VAE, "latent_channels": 2}).save_pretrained(folder / "vae")
    with pytest.raises(ValueError, match=r"vae: expected 4 channels in .*, found 2"):
        load_entry(entry_of(folder), CPU)


def test_what_is_wrong_with_a_folder_or_an_entry_is_said(folder: Path) -> None:
    def refused(message: str, **fields: Any) -> None:
        with pytest.raises(ValueError, match=message):
            load_entry(entry_of(folder, **fields), CPU)

    refused("family 'dit' has no options", options={"null_class": 3})
    refused("takes no 'config', got", config=folder)
    index = folder / "model_index.json"
    index.write_text(json.dumps({"id2label": {"0": "a", "1": "b"}}))
    refused("expected 'id2label' of the network's classes, no '2'")
    index.unlink()
    weights = folder / "vae/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:99])
    refused("vae: .*cannot be read as AutoencoderKL")
    (folder / "scheduler/scheduler_config.json").unlink()
    refused("scheduler: expected scheduler_config.json in it, found nothing")


def test_a_single_class_is_nothing_to_decide(folder: Path) -> None:
    write_transformer(folder, num_embeds_ada_norm=1)
    (folder / "model_index.json").unlink()
    with pytest.raises(ValueError, match="two classes or more, found 1: there is nothing to"):
        load_entry(entry_of(folder), CPU)
