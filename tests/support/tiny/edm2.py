"""A tiny EDM2: conditional and unconditional network of 8 x 8 pixels."""

from pathlib import Path
from typing import Any

import torch
from network_files import write_one, write_pair
from torch import Tensor

from entroscope_workers.models.entry import Entry
from entroscope_workers.models.networks.edm2 import Edm2Config, Precond

CONFIG: dict[str, Any] = {
    "img_resolution": 8,
    "img_channels": 3,
    "label_dim": 4,
    "model_channels": 8,
    "channel_mult": [1, 2],
    "num_blocks": 1,
    "attn_resolutions": [4],
    "channels_per_head": 8,
    "logvar_channels": 8,
}


def write(folder: Path) -> Entry:
    return write_pair(folder, "edm2", "Precond", CONFIG, random_weights)


def write_network(path: Path, config: dict[str, Any], class_name: str = "Precond") -> Path:
    """Write random weights and the JSON beside them."""
    return write_one(path, class_name, config, random_weights)


def random_weights(config: dict[str, Any]) -> dict[str, Tensor]:
    """Return weights with which labels matter: gains, 0 in a fresh network, are random too."""
    generator = torch.Generator().manual_seed(config["label_dim"])
    with torch.device("meta"):
        network = Precond(Edm2Config.model_validate(config))
    weights = {
        name: torch.randn(tensor.shape, generator=generator)
        for name, tensor in network.state_dict().items()
    }
    for name in weights:
        if name.endswith((".freqs", ".phases")):
            weights[name] *= 6.28
    return weights
