"""The one interface every model answers: E[x0 | x, label] for x = x0 + sigma n."""

from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo

#: Label of the unconditional branch, where a model has one (`info.unconditional`).
NO_LABEL = -1


class Model(Protocol):
    """Something that denoises, in the variance-exploding convention (EDM): x = x0 + sigma n."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype:
        """Type of the states x; schedules and log-posteriors are float64 whatever it is."""
        ...

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        """Return the model prepared for one run: parameters fixed, prompts encoded once.

        Args:
            params: of the run, checked by `info.params_schema`, with every default filled in.
            labels: of the run: those of `info`, or what the params make them.
        """
        ...

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        """Return states at the highest noise level, before any label is decided.

        Args:
            noise: (batch, *data), standard normal.
            uniform: (batch,), float64 in [0, 1), for models that draw a component.
            sigma: the highest noise level.
            prior: (labels,), float64, the run's prior over all labels of the model, 0 for those
                the run leaves out.
        Returns:
            x: (batch, *data); `sigma * noise` unless the exact marginal is known.
        """
        ...

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Return E[x0 | x[rows], labels], one datum for each evaluation.

        Args:
            x: (batch, *data), states in the dtype and on the device of the model.
            sigma: (batch,), float64, the noise level of each row.
            rows: (evaluations,), int64, which row of x each evaluation reads.
            labels: (evaluations,), int64, its label; NO_LABEL is the unconditional branch.
        Returns:
            denoised: (evaluations, *data).
        """
        ...

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        """Return previews of data x (batch, *data) as (batch, height, width, 3) in 0..255."""
        ...


@runtime_checkable
class HasData(Protocol):
    """A model that has labelled data (`info.data`), besides being a Model."""

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Return one datum of each label, (batch, *data).

        Args:
            labels: (batch,), int64, labels of the model.
            uniform: (batch,), float64 in [0, 1), for models that pick one of many.
            noise: (batch, *data), standard normal, for models that make one.
        """
        ...


@runtime_checkable
class ReadsPictures(Protocol):
    """A model whose data are pictures, so that a folder of them may be its labelled data."""

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """Height, width and channels (1 grey, 3 RGB) of one picture."""
        ...

    def states(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return pictures (batch, height, width, channels) as data (batch, *data)."""
        ...


@runtime_checkable
class DecodesLatents(Protocol):
    """A model of latents: `pictures` gives a cheap glimpse of them, `decode` the real pictures."""

    def decode(self, x: Tensor) -> NDArray[np.uint8]:
        """Return latents x (batch, *data) as pictures (batch, height, width, 3) in 0..255."""
        ...
