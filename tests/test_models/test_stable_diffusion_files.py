"""Pipelines of Stable Diffusion's kind that cannot be used: refused by name."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from original_names import write_single
from tiny.stable_diffusion import entry_of, write, write_pipeline

from entroscope.protocol.errors import SpecError
from entroscope_workers import measure
from entroscope_workers.models.families.stable_diffusion import StableDiffusion, load_entry

CPU = torch.device("cpu")


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
        load_entry(entry_of(tmp_path / "other.safetensors", config=folder), CPU)


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
        load_entry(entry_of(tmp_path), CPU)


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
        load_entry(entry_of(tmp_path), CPU)


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt", "tokenizer_config.json"])
def test_a_damaged_tokenizer_is_refused(name: str, tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    (tmp_path / "tokenizer" / name).write_text("damaged")
    with pytest.raises(ValueError, match="tokenizer: expected CLIP's"):
        load_entry(entry_of(tmp_path), CPU)


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
        load_entry(entry_of(tmp_path), CPU)


def test_what_an_entry_says_must_make_sense(folder: Path, single: Path) -> None:
    for fields, says in (
        ({"config": folder}, "has its own"),
        ({"labels": "imagenet"}, "'labels'"),
        ({"unconditional": single}, "'unconditional'"),
        ({"options": {"size": 512}}, "no options"),
    ):
        with pytest.raises(ValueError, match=says):
            load_entry(entry_of(folder, **fields), CPU)
    with pytest.raises(ValueError, match=r"config: one file of weights needs"):
        load_entry(entry_of(single), CPU)


def test_without_transformers_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"pip install 'entroscope\[text\]'"):
        load_entry(entry_of(folder), CPU)


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
