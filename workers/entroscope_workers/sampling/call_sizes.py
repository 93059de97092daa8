"""Calls of a size the device can hold: a model asked in portions, smaller ones when refused.

The pairs of one call are cut into even portions of at most so many. Where the device runs out of
memory the portions become half as large, for good, and the call goes on.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo
from entroscope_workers.models.base import HasData, Model

#: Inputs of one call where nobody has looked how many pairs are best, in bytes of float32.
CALL_BYTES = 2**24
#: Denoised data of one slice of rows on a processor, in bytes of float64: they stay in its cache.
SLICE_BYTES = 2**20
#: Large data fill no cache anyway: so many pairs keep the number of operations small.
SLICE_PAIRS = 64
#: The same on a GPU, as a share of its memory: each step has a few arrays of this size.
SLICE_SHARE = 1 / 64


class DoesNotFit(Exception):
    """Not even one pair fits the device; the text says what it needed."""


@dataclasses.dataclass(slots=True)
class Limit:
    """The most pairs of one call; it falls when the device runs out of memory."""

    pairs: int


@dataclasses.dataclass
class Portioned:
    """A model whose calls fit its device; all else is the model's own.

    Attributes:
        limit: shared by all runs of the model.
        most: portions that a call has been cut into, at most, since `bind`.
    """

    model: Model
    limit: Limit
    most: int = 1

    @classmethod
    def of(cls, model: Model) -> "Portioned":
        """Return the model itself where it is portioned already."""
        if isinstance(model, Portioned):
            return model
        return cls(model, Limit(pairs_of_a_call(model)))

    @property
    def info(self) -> ModelInfo:
        return self.model.info

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        return dataclasses.replace(self, model=self.model.bind(params, labels), most=1)

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        return self.model.start(noise, uniform, sigma, prior)

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return self.model.pictures(x)

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        if not isinstance(self.model, HasData):
            raise ValueError(f"model {self.info.name!r} was given no labelled data on this worker")
        return self.model.draw_data(labels, uniform, noise)

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Return what the model's own `denoise` does, in as many calls as it takes.

        Raises:
            DoesNotFit: one pair alone is too much for the device.
        """
        while True:
            portions = max(1, -(-len(rows) // self.limit.pairs))
            try:
                denoised = self._in_portions(x, sigma, rows, labels, portions)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(-(-len(rows) // portions), error)
                continue
            self.most = max(self.most, portions)
            return denoised

    def _in_portions(
        self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor, portions: int
    ) -> Tensor:
        if portions == 1:
            return self.model.denoise(x, sigma, rows, labels)
        size = -(-len(rows) // portions)
        parts = []
        for some, own in zip(torch.split(rows, size), torch.split(labels, size), strict=True):
            # Only the rows it needs: a trunk that runs once a row must not run for all of them.
            needed, place = torch.unique(some, return_inverse=True)
            parts.append(self.model.denoise(x[needed], sigma[needed], place, own))
        return torch.cat(parts)

    def _shrink(self, tried: int, error: RuntimeError) -> None:
        if tried == 1:
            reason = str(error).strip().splitlines()[0]
            name = self.info.name
            raise DoesNotFit(f"one pair of {name!r} does not fit {self.device}: {reason}") from None
        self.limit.pairs = tried // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def pairs_of_a_call(model: Model) -> int:
    """Return how many pairs a call may have where nobody has looked how many are best."""
    return max(1, CALL_BYTES // (4 * int(np.prod(model.info.shape))))


def slice_pairs(device: torch.device, dim: int) -> int:
    """Return how many pairs one slice of rows may have; data have `dim` coordinates."""
    if device.type == "cpu":
        return max(SLICE_PAIRS, SLICE_BYTES // (8 * dim))
    memory = torch.cuda.get_device_properties(device).total_memory
    return max(1, int(SLICE_SHARE * memory) // (8 * dim))


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether a device, or the processor's allocator, said that it has no more memory."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
