"""Models of their published sizes, with random weights: for speed, not for curves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny import edm, edm2, stable_diffusion

from entroscope_workers.models.entry import Entry

EDM2_XS: dict[str, Any] = {
    "img_resolution": 64,
    "img_channels": 4,
    "label_dim": 1000,
    "model_channels": 128,
}
CIFAR10: dict[str, Any] = {
    "model_type": "SongUNet",
    "img_resolution": 32,
    "img_channels": 3,
    "label_dim": 10,
    "augment_dim": 9,
    "model_channels": 128,
    "channel_mult": [2, 2, 2],
}
SD15_UNET: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
}
SD15_VAE: dict[str, Any] = {
    "sample_size": 512,
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "norm_num_groups": 32,
}


def edm2_xs(folder: Path) -> Entry:
    """Write EDM2-XS for ImageNet at 512 x 512: latents of 4 x 64 x 64, 1000 classes."""
    folder.mkdir(parents=True)
    path = edm2.write_network(folder / "edm2-xs.safetensors", EDM2_XS)
    return Entry(name="edm2-xs", family="edm2", path=path)


def cifar10(folder: Path) -> Entry:
    """Write the class-conditional DDPM++ of CIFAR-10."""
    folder.mkdir(parents=True)
    path = edm.write_network(folder / "cifar10.safetensors", CIFAR10)
    return Entry(name="cifar10-ddpmpp", family="edm", path=path)


def sd15(folder: Path) -> Entry:
    """Write a pipeline with the U-Net and the autoencoder of Stable Diffusion 1.5.

    The text encoder is tiny, of the right width: prompts are encoded once a run.
    """
    stable_diffusion.write_pipeline(folder, vae=SD15_VAE, width=768, **SD15_UNET)
    return Entry(name="sd15", family="stable-diffusion", path=folder)


#: By name, what writes the files of a model into a folder.
FULL_SIZE: dict[str, Callable[[Path], Entry]] = {
    "edm2-xs": edm2_xs,
    "cifar10-ddpmpp": cifar10,
    "sd15": sd15,
}
