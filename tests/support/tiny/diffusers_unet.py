"""A class-conditional UNet2DModel of diffusers with three classes and a null class."""

import json
from pathlib import Path
from typing import Any

import diffusers
import torch

from entroscope_workers.models.entry import Entry

UNET: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "num_class_embeds": 4,
}


def write(folder: Path) -> Entry:
    write_unet(folder)
    diffusers.DDPMScheduler().save_pretrained(folder / "scheduler")
    (folder / "labels.txt").write_text("cat\ndog\nbird\n")
    return Entry(
        name="tiny-unet",
        family="diffusers-unet",
        path=folder,
        labels=str(folder / "labels.txt"),
        options={"null_class": 3},
    )


def write_unet(folder: Path, **changes: Any) -> Any:
    """Write the network into `unet`, other than above in some settings, and return it."""
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(**{**UNET, **changes})
    with torch.no_grad():
        # Classes that differ little: nothing is decided above the grid, as in a trained network.
        network.conv_out.weight.mul_(0.05)
    network.save_pretrained(folder / "unet")
    return network


def entry_of(folder: Path, **fields: Any) -> Entry:
    """Return an entry of the models file for the folder."""
    return Entry(name="mine", family="diffusers-unet", path=folder, **fields)


def edit(path: Path, **changes: Any) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
