"""What the adapters of trained networks share: fixed labels, float32 states, pictures of pixels."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope_workers.models.entry import Entry

#: Numbers in the largest feature map, over the evaluations that are computed at a time: memory does
#: not grow with the batch. On a GPU that is 256 MiB in float16.
FEATURES_AT_ONCE = 1 << 22
FEATURES_AT_ONCE_GPU = 1 << 27


class NetworkModel(ABC):
    """A model without parameters, whose highest noise level hides the data altogether."""

    def __init__(self, info: ModelInfo, device: torch.device) -> None:
        self._info = info
        self._device = device

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def device(self) -> torch.device:
        return self._device

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        """Return self: there are no parameters, and the labels are fixed."""
        if params:
            raise ValueError(f"{self.info.name} takes no parameters, got {sorted(params)}")
        return self

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        return sigma * noise

    @abstractmethod
    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor: ...

    @abstractmethod
    def pictures(self, x: Tensor) -> NDArray[np.uint8]: ...


class Pixels(NetworkModel):
    """Data are pictures in -1..1, grey or in colour."""

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return pixel_pictures(x)

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.info.shape
        return (height, width, channels)

    def states(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return 0..255 as -1..1."""
        pixels = torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2)
        return pixels.float() / 127.5 - 1


def pixel_pictures(x: Tensor) -> NDArray[np.uint8]:
    """Return pixels -1..1, grey or in colour, as pictures 0..255; see `Model.pictures`."""
    return to_uint8((x.float() + 1) / 2)


def to_uint8(colours: Tensor) -> NDArray[np.uint8]:
    """Return (batch, 1 or 3, height, width) in 0..1 as (batch, height, width, 3) in 0..255."""
    bytes_ = (colours.float() * 255).round().clamp(0, 255).to(torch.uint8)
    pictures = bytes_.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).contiguous()
    return cast(NDArray[np.uint8], pictures.cpu().numpy())


def batch_sizes(num_labels: int) -> BatchSizes:
    """Return small batches where labels are many: a worker should be free again soon."""
    return BatchSizes(first=4, largest=8) if num_labels >= 100 else BatchSizes(first=8, largest=32)


def evaluations_at_once(features: int, device: torch.device) -> int:
    """Return how many evaluations are computed at a time.

    Args:
        features: numbers in the largest feature map of one evaluation.
    """
    limit = FEATURES_AT_ONCE if device.type == "cpu" else FEATURES_AT_ONCE_GPU
    return max(1, limit // features)


def network_dtype(entry: Entry, device: torch.device) -> torch.dtype:
    """Return in which type a network computes: float32 on a processor, else float16.

    Labels are rounded apart, which reads as information at every noise level (the noise that a
    network predicts is wrong by as much at all of them). Of random networks, DiT-S/2 and a UNet of
    32 x 32 pixels with four labels, float16 adds 0.005 nats per ln sigma where nothing is decided
    yet, and bfloat16 0.3: the latter is only for an entry that asks for it.
    """
    default = "float32" if device.type == "cpu" else "float16"
    return cast(torch.dtype, getattr(torch, entry.dtype or default))
