"""A tiny autoencoder of latents, in a folder as diffusers keeps them."""

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

#: Names of attention's layers today, and in the files of Stable Diffusion's first years.
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def write_autoencoder(folder: Path, latent_channels: int = 4) -> Path:
    """Write an AutoencoderKL that makes 8 pixels of every latent pixel, as Stable Diffusion's."""
    from diffusers import AutoencoderKL

    blocks = 4
    torch.manual_seed(0)
    kind: Any = AutoencoderKL
    network = kind(
        block_out_channels=(8,) * blocks,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=4,
    )
    network.save_pretrained(folder)
    return folder


def read_autoencoder(folder: Path) -> Any:
    """Return the network of a folder, as diffusers reads it."""
    from diffusers import AutoencoderKL

    kind: Any = AutoencoderKL
    return kind.from_pretrained(folder, low_cpu_mem_usage=False)


def with_old_names(folder: Path) -> None:
    """Name the layers of attention as `stabilityai/sd-vae-ft-mse` does."""
    weights = safetensors.torch.load_file(weights_of(folder))
    renamed = {}
    for name, weight in weights.items():
        for new, old in OLD_NAMES.items():
            name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = weight.clone()
    assert renamed.keys() != weights.keys()
    safetensors.torch.save_file(renamed, weights_of(folder), {"format": "pt"})


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def weights_of(folder: Path) -> Path:
    return folder / "diffusion_pytorch_model.safetensors"
