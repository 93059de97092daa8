"""A pipeline of Stable Diffusion's kind in small: four parts of random weights."""

import json
from pathlib import Path
from typing import Any

import torch

from entroscope_workers.models.entry import Entry

WIDTH = 16
UNET: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "cross_attention_dim": WIDTH,
}
VAE: dict[str, Any] = {
    "sample_size": 16,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
    "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "latent_channels": 4,
}
SCHEDULER: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "skip_prk_steps": True,
    "steps_offset": 1,
}
MERGES = ("w o", "wo o", "woo d", "c h", "ch a", "b l", "bl u")


def write(folder: Path) -> Entry:
    write_pipeline(folder)
    return Entry(name="tiny-sd", family="stable-diffusion", path=folder)


def entry_of(folder: Path, **fields: Any) -> Entry:
    """Return an entry of the models file for a folder, or for one file of weights."""
    return Entry.model_validate(
        {"name": "mine", "family": "stable-diffusion", "path": folder} | fields
    )


def write_pipeline(
    folder: Path,
    prediction: str = "epsilon",
    vae: dict[str, Any] | None = None,
    width: int = WIDTH,
    **unet: Any,
) -> None:
    """Write a pipeline; its U-Net may differ from the above in some settings."""
    import diffusers

    torch.manual_seed(0)
    network = diffusers.UNet2DConditionModel(**{**UNET, **unet})
    with torch.no_grad():
        # Prompts that differ little: nothing is decided above the grid, as in a trained network.
        network.conv_out.weight.mul_(0.05)
    network.save_pretrained(folder / "unet")
    diffusers.AutoencoderKL(**{**VAE, **(vae or {})}).save_pretrained(folder / "vae")
    scheduler = diffusers.PNDMScheduler(**SCHEDULER, prediction_type=prediction)
    scheduler.save_pretrained(folder / "scheduler")
    vocabulary = write_tokenizer(folder / "tokenizer")
    _text_encoder(vocabulary, width).save_pretrained(folder / "text_encoder")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "PNDMScheduler"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))


def write_tokenizer(folder: Path) -> dict[str, int]:
    """Write CLIP's tokenizer with the letters, some joined ones, and the marks of begin and end."""
    letters = [chr(code) for code in range(33, 127)]
    joined = ["".join(merge.split()) for merge in MERGES]
    words = [*letters, *(f"{letter}</w>" for letter in letters), *joined]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES, ""]))
    settings = {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return vocabulary


def _text_encoder(vocabulary: dict[str, int], width: int) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    marks = {
        "bos_token_id": vocabulary["<|startoftext|>"],
        "eos_token_id": vocabulary["<|endoftext|>"],
        "pad_token_id": vocabulary["<|endoftext|>"],
    }
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        **marks,
    )
    return CLIPTextModel(config)
