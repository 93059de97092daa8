"""What the adapters of trained networks share: fixed labels, float32 states, pictures of pixels."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo


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


def pixel_pictures(x: Tensor) -> NDArray[np.uint8]:
    """Return pixels -1..1, grey or in colour, as pictures 0..255; see `Model.pictures`."""
    return to_uint8((x.float() + 1) / 2)


def pixel_states(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return pictures 0..255 (batch, height, width, channels) as pixels -1..1, channels first."""
    return torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def pixel_shape(info: ModelInfo) -> tuple[int, int, int]:
    """Return height, width and channels of the pictures; see `ReadsPictures.picture_shape`."""
    channels, height, width = info.shape
    return (height, width, channels)


def to_uint8(colours: Tensor) -> NDArray[np.uint8]:
    """Return (batch, 1 or 3, height, width) in 0..1 as (batch, height, width, 3) in 0..255."""
    bytes_ = (colours.float() * 255).round().clamp(0, 255).to(torch.uint8)
    pictures = bytes_.permute(0, 2, 3, 1).expand(-1, -1, -1, 3).contiguous()
    return cast(NDArray[np.uint8], pictures.cpu().numpy())
