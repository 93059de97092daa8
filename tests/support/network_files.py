"""Networks of EDM's kind on disk, as `entroscope models import` writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from entroscope_workers.models.entry import Entry

Weights = Callable[[dict[str, Any]], dict[str, Tensor]]


def write_pair(
    folder: Path, family: str, class_name: str, config: dict[str, Any], weights: Weights
) -> Entry:
    """Write a conditional and an unconditional network.

    The configuration is beside the one and in the metadata of the other: both are read.
    """
    path = write_one(folder / "conditional.safetensors", class_name, config, weights)
    beside, other = folder / "unconditional.safetensors", {**config, "label_dim": 0}
    safetensors.torch.save_file(weights(other), beside, {"config": json.dumps(other)})
    return Entry(name=f"tiny-{family}", family=family, path=path, unconditional=beside)


def write_one(path: Path, class_name: str, config: dict[str, Any], weights: Weights) -> Path:
    """Write a network and the JSON beside it."""
    safetensors.torch.save_file(weights(config), path)
    document = {"class_name": class_name, "config": config}
    path.with_suffix(".json").write_text(json.dumps(document))
    return path
