"""Models of their published sizes, with random weights: for speed, not for curves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny import edm, edm2

from entroscope_workers.entries import Entry

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


#: By name, what writes the files of a model into a folder.
FULL_SIZE: dict[str, Callable[[Path], Entry]] = {"edm2-xs": edm2_xs, "cifar10-ddpmpp": cifar10}
