"""Stable Diffusion's kind: against diffusers' own pipeline, from a folder and from one file."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from tiny.stable_diffusion import write, write_pipeline
from torch import Tensor

from entroscope.protocol.errors import SpecError
from entroscope_workers import measure
from entroscope_workers.models.base import NO_LABEL, DecodesLatents
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.stable_diffusion import StableDiffusion, load_entry

CPU = torch.device("cpu")
PROMPTS = ["A wooden chair", "A wooden chair in front of blue walls"]


def entry(folder: Path, **fields: Any) -> Entry:
    given = {"name": "own", "family": "stable-diffusion", "path": folder}
    return Entry.model_validate(given | fields)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> StableDiffusion:
    return load_entry(entry(folder), CPU)


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
    bound = load_entry(entry(tmp_path), CPU).bind({}, PROMPTS)
    sigma = bound.parts.schedule.sigmas[step].reshape(1)
    for states, label in ((prompt, 1), (empty, NO_LABEL)):
        with torch.no_grad():
            output = pipeline.unet(latents, step, encoder_hidden_states=states).sample
        expected = scheduler.step(output, step, latents).pred_original_sample
        x = latents * (1 + sigma**2).sqrt().float()
        found = bound.denoise(x, sigma, torch.tensor([0]), torch.tensor([label]))
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * scale)


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
        decoded = pipeline.vae.decode(x / pipeline.vae.config.scaling_factor).sample
    expected = pipeline.image_processor.postprocess(decoded, output_type="np")
    found = model.decode(x)
    assert found.shape == (2, 16, 16, 3) and model.pictures(x).shape == (2, 8, 8, 3)
    np.testing.assert_allclose(found / 255, expected, atol=0.5 / 255 + 1e-5)


def test_a_run_has_the_prompts_of_its_partition(model: StableDiffusion) -> None:
    chairs = [{"name": own, "labels": [own]} for own in ("A blue wooden chair", "A chair")]
    spec = {"partitions": {"colour": chairs}, "trajectories": 4, "schedule": {"steps": 4}}
    result = measure(model, spec)
    assert result["spec"]["params"] == {"prompts": ["A blue wooden chair", "A chair"]}
    assert result["curves"]["colour"]["n"] == 4


#: diffusers' names of a U-Net's and of an autoencoder's tensors in the original code's, for one
#: layer a block; names that are the same in both are left out.
UNET_NAMES = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.attentions.0": "input_blocks.1.1",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op",
    "down_blocks.1.resnets.0": "input_blocks.3.0",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0",
    "up_blocks.0.resnets.1": "output_blocks.1.0",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.1.1.conv",
    "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.attentions.0": "output_blocks.2.1",
    "up_blocks.1.resnets.1": "output_blocks.3.0",
    "up_blocks.1.attentions.1": "output_blocks.3.1",
}
UNET_LAYERS = {
    ".norm1.": ".in_layers.0.",
    ".conv1.": ".in_layers.2.",
    ".norm2.": ".out_layers.0.",
    ".conv2.": ".out_layers.3.",
    ".time_emb_proj.": ".emb_layers.1.",
    ".conv_shortcut.": ".skip_connection.",
}
VAE_NAMES = [
    (r"down_blocks\.(\d)\.resnets\.", r"down.\1.block."),
    (r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample."),
    (r"up_blocks\.0\.", "up.1."),
    (r"up_blocks\.1\.", "up.0."),
    (r"(up\.\d)\.resnets\.", r"\1.block."),
    (r"(up\.\d)\.upsamplers\.0\.", r"\1.upsample."),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"group_norm", "norm"),
    (r"to_([qkv])\.", r"\1."),
    (r"to_out\.0", "proj_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
]


def unet_in_original_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, weight in weights.items():
        start = max((key for key in UNET_NAMES if name.startswith(f"{key}.")), key=len)
        own = UNET_NAMES[start] + name.removeprefix(start)
        if "resnets" in name:
            for new, old in UNET_LAYERS.items():
                own = own.replace(new, old)
        renamed[f"model.diffusion_model.{own}"] = weight
    return renamed


def vae_in_original_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, weight in weights.items():
        own = name
        for pattern, old in VAE_NAMES:
            own = re.sub(pattern, old, own)
        is_linear = "attn_1" in own and weight.ndim == 2
        renamed[f"first_stage_model.{own}"] = weight[:, :, None, None] if is_linear else weight
    return renamed


@pytest.fixture(scope="module")
def single(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the folder as one file of the original code."""

    def part(name: str) -> dict[str, Tensor]:
        (path,) = (folder / name).glob("*.safetensors")
        return safetensors.torch.load_file(path)

    text = {
        f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}": weight
        for name, weight in part("text_encoder").items()
    }
    text["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    weights = unet_in_original_names(part("unet")) | vae_in_original_names(part("vae")) | text
    path = tmp_path_factory.mktemp("single") / "model.safetensors"
    more = {"betas": torch.ones(3)}  # buffers of the original code that nobody reads
    safetensors.torch.save_file({k: w.contiguous() for k, w in (weights | more).items()}, path)
    return path


def test_one_file_of_the_original_code_is_the_same_model(
    folder: Path, single: Path, model: StableDiffusion
) -> None:
    other = load_entry(entry(single, config=folder), CPU)
    x, sigma = torch.randn((2, 4, 8, 8)), torch.tensor([0.3, 7.0], dtype=torch.float64)
    rows, labels = torch.arange(2).repeat_interleave(3), torch.tensor([0, 1, NO_LABEL] * 2)
    found, expected = (
        own.bind({}, PROMPTS).denoise(x, sigma, rows, labels) for own in (other, model)
    )
    torch.testing.assert_close(found, expected)
    np.testing.assert_array_equal(other.decode(x), model.decode(x))
    assert other.info.weights_hash != model.info.weights_hash  # not the same files


@pytest.mark.parametrize(
    ("drop", "add", "says"),
    [
        ("model.diffusion_model.out.2.bias", None, "expected .* tensors, found .*'conv_out.bias'"),
        ("model.diffusion_model.", None, r"expected tensors model\.diffusion_model"),
        ("cond_stage_model.", "cond_stage_model.model.x", "found Stable Diffusion 2"),
        ("cond_stage_model.", "conditioner.embedders.0.x", "found Stable Diffusion XL"),
    ],
)
def test_one_file_of_something_else_is_refused(
    drop: str, add: str | None, says: str, folder: Path, single: Path, tmp_path: Path
) -> None:
    weights = safetensors.torch.load_file(single)
    kept = {name: weight for name, weight in weights.items() if not name.startswith(drop)}
    kept |= {add: torch.zeros(1)} if add else {}
    safetensors.torch.save_file(kept, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=says):
        load_entry(entry(tmp_path / "other.safetensors", config=folder), CPU)


def changed(folder: Path, name: str, **fields: Any) -> None:
    document = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(document | fields))


XL = {"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]}


@pytest.mark.parametrize(
    ("name", "fields", "says"),
    [
        ("model_index.json", XL, "second text encoder"),
        ("unet/config.json", {"addition_embed_type": "text_time"}, "'addition_embed_type'"),
        ("unet/config.json", {"_class_name": "UNet3DConditionModel"}, "UNet3DConditionModel"),
        ("unet/config.json", {"block_out_channels": [16, 16]}, "conv_in"),
        ("text_encoder/config.json", {"hidden_size": 32}, "text_encoder.*expected"),
        ("text_encoder/config.json", {"hidden_size": "wide"}, "text_encoder.*expected CLIP's"),
        ("scheduler/scheduler_config.json", {"_class_name": "FlowMatch"}, "FlowMatch"),
    ],
)
def test_a_pipeline_of_another_kind_is_refused_by_name(
    name: str, fields: dict[str, Any], says: str, tmp_path: Path
) -> None:
    write_pipeline(tmp_path)
    changed(tmp_path, name, **fields)
    with pytest.raises(ValueError, match=says):
        load_entry(entry(tmp_path), CPU)


@pytest.mark.parametrize(
    ("unet", "says"),
    [
        ({"in_channels": 9}, "'in_channels' 4, found 9"),
        ({"cross_attention_dim": 32}, "'cross_attention_dim' 16, .* found 32"),
    ],
)
def test_a_network_that_does_not_fit_the_others_is_refused(
    unet: dict[str, Any], says: str, tmp_path: Path
) -> None:
    write_pipeline(tmp_path, **unet)
    with pytest.raises(ValueError, match=says):
        load_entry(entry(tmp_path), CPU)


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt", "tokenizer_config.json"])
def test_a_damaged_tokenizer_is_refused(name: str, tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    (tmp_path / "tokenizer" / name).write_text("damaged")
    with pytest.raises(ValueError, match="tokenizer: expected CLIP's"):
        load_entry(entry(tmp_path), CPU)


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ],
)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=Path(name).name.replace(".", r"\.")):
        load_entry(entry(tmp_path), CPU)


def test_what_an_entry_says_must_make_sense(folder: Path, single: Path) -> None:
    for fields, says in (
        ({"config": folder}, "has its own"),
        ({"labels": "imagenet"}, "'labels'"),
        ({"unconditional": single}, "'unconditional'"),
        ({"options": {"size": 512}}, "no options"),
    ):
        with pytest.raises(ValueError, match=says):
            load_entry(entry(folder, **fields), CPU)
    with pytest.raises(ValueError, match=r"config: one file of weights needs"):
        load_entry(entry(single), CPU)


def test_without_transformers_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"pip install 'entroscope\[text\]'"):
        load_entry(entry(folder), CPU)


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        (["A chair", "x" * 100], "102 tokens, the model reads 77"),
        (["A chair", "a  CHAIR"], "reads the same"),
    ],
)
def test_prompts_that_cannot_be_told_apart_are_refused(
    prompts: list[str], says: str, model: StableDiffusion
) -> None:
    with pytest.raises(SpecError, match=says) as refused:
        measure(model, {"params": {"prompts": prompts}, "trajectories": 4})
    assert refused.value.field == "params.prompts.1"


@pytest.mark.parametrize(("dtype", "error"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_a_short_type_is_for_the_network_alone(
    dtype: str, error: float, folder: Path, single: Path, model: StableDiffusion
) -> None:
    x, sigma = torch.randn((1, 4, 8, 8)), torch.tensor([0.5], dtype=torch.float64)
    expected = model.bind({}, PROMPTS).denoise(x, sigma, torch.tensor([0]), torch.tensor([1]))
    for given in (entry(folder, dtype=dtype), entry(single, config=folder, dtype=dtype)):
        own = load_entry(given, CPU).bind({}, PROMPTS)
        found = own.denoise(x, sigma, torch.tensor([0]), torch.tensor([1]))
        assert found.dtype == torch.float32
        output = float(((x - expected) / 0.5).abs().max())  # of the network: the noise
        assert 0 < float((found - expected).abs().max()) < 0.5 * error * output


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
    other = load_entry(entry(folder, vae=tmp_path / "vae"), CPU)
    x = torch.randn((1, 4, 8, 8))
    np.testing.assert_array_equal(other.decode(x), model.decode(x))
    assert other.info.weights_hash == model.info.weights_hash  # a decoder changes no number


def test_a_text_encoder_with_the_names_before_transformers_5_is_the_same(
    folder: Path, model: StableDiffusion, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "own")
    path = tmp_path / "own/text_encoder/model.safetensors"
    weights = safetensors.torch.load_file(path)
    wrapped = {f"text_model.{key.removeprefix('text_model.')}": w for key, w in weights.items()}
    wrapped["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    safetensors.torch.save_file(wrapped, path)
    other = load_entry(entry(tmp_path / "own"), CPU)
    torch.testing.assert_close(other.parts.text.encode(PROMPTS), model.parts.text.encode(PROMPTS))
