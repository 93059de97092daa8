"""A tiny DDPM++ of EDM: conditional and unconditional network of 8 x 8 grey pixels."""

import math
from pathlib import Path
from typing import Any

import torch
from network_files import write_one, write_pair
from torch import Tensor

from entroscope_workers.models.entry import Entry
from entroscope_workers.models.networks.edm import EdmConfig, EDMPrecond

CONFIG: dict[str, Any] = {
    "model_type": "SongUNet",
    "img_resolution": 8,
    "img_channels": 1,
    "label_dim": 3,
    "augment_dim": 9,
    "model_channels": 8,
    "channel_mult": [1, 2],
    "channel_mult_emb": 2,
    "num_blocks": 1,
    "attn_resolutions": [4],
}


def write(folder: Path) -> Entry:
    return write_pair(folder, "edm", "EDMPrecond", CONFIG, random_weights)


def write_network(path: Path, config: dict[str, Any], class_name: str = "EDMPrecond") -> Path:
    """Write random weights and the JSON beside them."""
    return write_one(path, class_name, config, random_weights)


def random_weights(config: dict[str, Any]) -> dict[str, Tensor]:
    """Return weights of variance 1 / fan in, so that no layer is silent and none is loud."""
    generator = torch.Generator().manual_seed(config["label_dim"])
    with torch.device("meta"):
        network = EDMPrecond(EdmConfig.model_validate(config))
    weights = {}
    for name, tensor in network.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        weights[name] = noise / math.sqrt(tensor[0].numel()) if tensor.ndim > 1 else 1 + 0.1 * noise
    return weights
