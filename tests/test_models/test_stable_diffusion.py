"""Stable Diffusion's kind: against diffusers' own pipeline, from a folder and from one file."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from original_names import write_single
from tiny.stable_diffusion import entry_of, write, write_pipeline

from entroscope_workers import measure
from entroscope_workers.models.base import NO_LABEL, DecodesLatents
from entroscope_workers.models.families.stable_diffusion import StableDiffusion, load_entry

CPU = torch.device("cpu")


PROMPTS = ["A wooden chair", "A wooden chair in front of blue walls"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> StableDiffusion:
    return load_entry(entry_of(folder), CPU)


@pytest.fixture(scope="module")
def single(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the folder as one file of the original code."""
    return write_single(folder, tmp_path_factory.mktemp("single") / "model.safetensors")


def pipeline_of(folder: Path) -> Any:
    import diffusers

    return diffusers.StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("step", [0, 500, 999])
def test_it_denoises_as_the_pipeline_of_diffusers_does(
    prediction: str, step: int, tmp_path: Path
) -> None:
    import diffusers

    write_pipeline(tmp_path, prediction)
    pipeline = pipeline_of(tmp_path)
    scheduler = diffusers.DDPMScheduler.from_config(pipeline.scheduler.config, clip_sample=False)
    prompt, empty = pipeline.encode_prompt(PROMPTS[1], CPU, 1, do_classifier_free_guidance=True)
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    bound = load_entry(entry_of(tmp_path), CPU).bind({}, PROMPTS)
    sigma = bound.parts.schedule.sigmas[step].reshape(1)
    for states, label in ((prompt, 1), (empty, NO_LABEL)):
        with torch.no_grad():
            output = pipeline.unet(latents, step, encoder_hidden_states=states).sample
        expected = scheduler.step(output, step, latents).pred_original_sample
        x = latents * (1 + sigma**2).sqrt().float()
        denoised = bound.denoise(x, sigma, torch.tensor([0]), torch.tensor([label]))
        scale = float(expected.abs().max())
        torch.testing.assert_close(denoised, expected, rtol=0, atol=1e-5 * scale)


def test_prompts_make_a_difference_and_are_encoded_once(model: StableDiffusion) -> None:
    one, again = (model.bind({}, PROMPTS) for _ in range(2))
    assert one.parts.text.encode(PROMPTS) is again.parts.text.encode(PROMPTS)
    x, sigma = torch.randn((1, 4, 8, 8)), torch.ones(1, dtype=torch.float64)
    rows, labels = torch.zeros(3, dtype=torch.int64), torch.tensor([0, 1, NO_LABEL])
    first, second, nothing = one.denoise(x, sigma, rows, labels)
    assert float((first - second).abs().max()) > 1e-4
    assert float((first - nothing).abs().max()) > 1e-4


def test_latents_decode_as_the_pipeline_decodes_them(folder: Path, model: StableDiffusion) -> None:
    assert isinstance(model, DecodesLatents)
    pipeline, x = pipeline_of(folder), torch.randn((2, 4, 8, 8))
    with torch.no_grad():
        picture = pipeline.vae.decode(x / pipeline.vae.config.scaling_factor).sample
    expected = pipeline.image_processor.postprocess(picture, output_type="np")
    decoded = model.decode(x)
    assert decoded.shape == (2, 16, 16, 3) and model.pictures(x).shape == (2, 8, 8, 3)
    np.testing.assert_allclose(decoded / 255, expected, atol=0.5 / 255 + 1e-5)


def test_a_run_has_the_prompts_of_its_partition(model: StableDiffusion) -> None:
    chairs = [{"name": chair, "labels": [chair]} for chair in ("A blue wooden chair", "A chair")]
    spec = {"partitions": {"colour": chairs}, "trajectories": 4, "schedule": {"steps": 4}}
    result = measure(model, spec)
    assert result["spec"]["params"] == {"prompts": ["A blue wooden chair", "A chair"]}
    assert result["curves"]["colour"]["n"] == 4


def test_one_file_of_the_original_code_is_the_same_model(
    folder: Path, single: Path, model: StableDiffusion
) -> None:
    other = load_entry(entry_of(single, config=folder), CPU)
    x, sigma = torch.randn((2, 4, 8, 8)), torch.tensor([0.3, 7.0], dtype=torch.float64)
    rows, labels = torch.arange(2).repeat_interleave(3), torch.tensor([0, 1, NO_LABEL] * 2)
    denoised, expected = (
        each.bind({}, PROMPTS).denoise(x, sigma, rows, labels) for each in (other, model)
    )
    torch.testing.assert_close(denoised, expected)
    np.testing.assert_array_equal(other.decode(x), model.decode(x))
    assert other.info.weights_hash != model.info.weights_hash  # not the same files


@pytest.mark.parametrize(("dtype", "error"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_a_short_type_is_for_the_network_alone(
    dtype: str, error: float, folder: Path, single: Path, model: StableDiffusion
) -> None:
    x, sigma = torch.randn((1, 4, 8, 8)), torch.tensor([0.5], dtype=torch.float64)
    expected = model.bind({}, PROMPTS).denoise(x, sigma, torch.tensor([0]), torch.tensor([1]))
    for entry in (entry_of(folder, dtype=dtype), entry_of(single, config=folder, dtype=dtype)):
        short = load_entry(entry, CPU).bind({}, PROMPTS)
        denoised = short.denoise(x, sigma, torch.tensor([0]), torch.tensor([1]))
        assert denoised.dtype == torch.float32
        output = float(((x - expected) / 0.5).abs().max())  # of the network: the noise
        assert 0 < float((denoised - expected).abs().max()) < 0.5 * error * output


def test_an_autoencoder_with_the_names_of_2022_is_the_same(
    folder: Path, model: StableDiffusion, tmp_path: Path
) -> None:
    shutil.copytree(folder / "vae", tmp_path / "vae")
    path = tmp_path / "vae/diffusion_pytorch_model.safetensors"
    weights = safetensors.torch.load_file(path)
    old = {"to_q.": "query.", "to_k.": "key.", "to_v.": "value.", "to_out.0.": "proj_attn."}
    for new, name in old.items():
        weights = {key.replace(new, name): weight for key, weight in weights.items()}
    assert any("proj_attn" in key for key in weights)
    safetensors.torch.save_file(weights, path)
    other = load_entry(entry_of(folder, vae=tmp_path / "vae"), CPU)
    x = torch.randn((1, 4, 8, 8))
    np.testing.assert_array_equal(other.decode(x), model.decode(x))
    assert other.info.weights_hash == model.info.weights_hash  # a decoder changes no number


def test_a_text_encoder_with_the_names_before_transformers_5_is_the_same(
    folder: Path, model: StableDiffusion, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "wrapped")
    path = tmp_path / "wrapped/text_encoder/model.safetensors"
    weights = safetensors.torch.load_file(path)
    wrapped = {f"text_model.{key.removeprefix('text_model.')}": w for key, w in weights.items()}
    wrapped["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    safetensors.torch.save_file(wrapped, path)
    other = load_entry(entry_of(tmp_path / "wrapped"), CPU)
    torch.testing.assert_close(other.parts.text.encode(PROMPTS), model.parts.text.encode(PROMPTS))
