"""Print what steps cost an exact denoiser of real pictures: the yardstick for figures b).

    python tests/benchmarks/fashion_mnist_exact.py --data FOLDER

Each class is the first 300 training pictures of it, every one widened by a small Gaussian. Its
denoiser is known, so that whatever the integral of production misses is the error of the steps.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope_workers import measure
from entroscope_workers.library.idx import read_part
from entroscope_workers.models.families.fashion_mnist import LABELS
from entroscope_workers.training.fashion_mnist import as_labels, as_states

PICTURES = 300
WIDTH = 0.3


class Pictures:
    """sum over the pictures of a class of N(picture, WIDTH^2 I), as a model."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, states: Tensor, labels: Tensor) -> None:
        own = [states[labels == label][:PICTURES].flatten(1) for label in range(len(LABELS))]
        self._pictures = torch.stack(own)  # (labels, PICTURES, dim)
        self._half_squares = self._pictures.square().sum(2) / 2

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="pictures",
            family="pictures",
            title="Training pictures, exactly",
            labels=LABELS,
            shape=(self._pictures.shape[2],),
            batch_sizes=BatchSizes(first=128, largest=128),
        )

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        return self

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        return sigma * noise

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        square = sigma.float()[:, None, None] ** 2
        variance = square + WIDTH**2
        near = torch.einsum("bd,znd->bzn", x, self._pictures) - self._half_squares
        weights = torch.softmax(near / variance, dim=2)
        means = torch.einsum("bzn,znd->bzd", weights, self._pictures)
        denoised: Tensor = (WIDTH**2 * x[:, None] + square * means) / variance
        return denoised[rows, labels]

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        raise NotImplementedError("this model is measured, not shown")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--trajectories", type=int, default=2000)
    parser.add_argument("--steps", type=int, nargs="+", default=[32, 64])
    options = parser.parse_args()
    train = read_part(options.data, "train")
    model = Pictures(as_states(train), as_labels(train))
    for steps in options.steps:
        schedule = {"steps": steps, "sigma_max": 80, "sigma_min": 0.02, "rho": 7}
        spec = {"schedule": schedule, "trajectories": options.trajectories, "previews": None}
        result = measure(model, spec)
        print(f"\n{steps} steps, {options.trajectories} trajectories")
        for check in result["checks"]:
            print(f"  {check['name']}: {check['value']:.4f} (bound {check['bound']:.4f})")


if __name__ == "__main__":
    main()
