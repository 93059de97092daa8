"""Reference numbers of published architectures: weights, inputs and what must come out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

DATA = Path(__file__).parents[1] / "data"
NUM_SAMPLES = 6


class Reference:
    """The arrays of one file; `config` holds the constructor's arguments."""

    def __init__(self, name: str) -> None:
        with np.load(DATA / f"{name}.npz", allow_pickle=False) as arrays:
            self.config: dict[str, Any] = json.loads(str(arrays["config"]))
            self.tensors = {
                key: torch.from_numpy(arrays[key]) for key in arrays.files if key != "config"
            }

    def write(self, path: Path) -> Path:
        """Write the weights, and the arguments beside them."""
        weights = {
            key.removeprefix("state/"): tensor
            for key, tensor in self.tensors.items()
            if key.startswith("state/")
        }
        safetensors.torch.save_file(weights, path)
        path.with_suffix(".json").write_text(json.dumps({"config": self.config}))
        return path


def assert_reproduced(denoised: Tensor, expected: Tensor) -> None:
    """Every datum has to agree to 1e-5 of its largest number."""
    size = expected.flatten(1).abs().amax(dim=1)
    error = (denoised - expected).flatten(1).abs().amax(dim=1)
    assert float((error / size).max()) < 1e-5
