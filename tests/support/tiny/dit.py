"""A DiT pipeline of diffusers with three classes, learned variance and an autoencoder."""

import json
from pathlib import Path
from typing import Any

import diffusers
import torch

from entroscope_workers.models.entry import Entry

TRANSFORMER: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "in_channels": 4,
    "out_channels": 8,
    "num_layers": 2,
    "sample_size": 8,
    "patch_size": 2,
    "num_embeds_ada_norm": 3,
}
VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
    "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
    "block_out_channels": (4, 8),
    "norm_num_groups": 2,
    "latent_channels": 4,
}


def write(folder: Path) -> Entry:
    write_transformer(folder)
    diffusers.DDIMScheduler(clip_sample=False).save_pretrained(folder / "scheduler")
    diffusers.AutoencoderKL(**VAE).save_pretrained(folder / "vae")
    names = {"0": "crane", "1": "crane", "2": "tench, Tinca tinca"}
    index = {"_class_name": "DiTPipeline", "id2label": names}
    (folder / "model_index.json").write_text(json.dumps(index))
    return Entry(name="tiny-dit", family="dit", path=folder)


def write_transformer(folder: Path, **changes: Any) -> Any:
    """Write the network into `transformer`, other than above in some settings, and return it."""
    torch.manual_seed(0)
    network = diffusers.DiTTransformer2DModel(**{**TRANSFORMER, **changes})
    with torch.no_grad():
        # Classes that differ little: nothing is decided above the grid, as in a trained network.
        network.proj_out_2.weight.mul_(0.03)
    network.save_pretrained(folder / "transformer")
    return network
