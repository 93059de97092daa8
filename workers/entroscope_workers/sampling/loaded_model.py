"""A model as a process runs it: with its labelled data and the sizes of its calls beside it."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from entroscope.protocol.models import DataInfo, ModelInfo
from entroscope_workers.models.base import HasData, Model
from entroscope_workers.sampling.call_sizes import CallSizes, slice_evaluations, slices


class LabelledData(Protocol):
    """Labelled data that a model was given on this worker."""

    @property
    def info(self) -> DataInfo: ...

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Return one datum of each label; see `HasData.draw_data`."""
        ...


@dataclasses.dataclass(slots=True)
class LoadedModel:
    """A model, its data and its call sizes. What else a model does is asked of `model` itself.

    Attributes:
        model: as its family or its user's program made it; bound to a run after `bind`.
        data: what it was given on this worker; None: its own, where it has any.
        sizes: shared by all runs of the model.
        calls: the most calls that one question has taken since `bind`.
        slice_evaluations: the most evaluations of a slice of rows.
    """

    model: Model
    data: LabelledData | None
    sizes: CallSizes
    calls: int = 1
    slice_evaluations: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        # Once: a model may make its `info` anew each time it is asked, and steps are many.
        dim = math.prod(self.model.info.shape)
        self.slice_evaluations = slice_evaluations(self.device, dim)

    @classmethod
    def of(cls, model: "Model | LoadedModel") -> "LoadedModel":
        """Return a model with call sizes for its device; the same where it has them already."""
        return model if isinstance(model, LoadedModel) else cls(model, None, CallSizes.of(model))

    @property
    def info(self) -> ModelInfo:
        """What the model says of itself, with the data that it was given."""
        info = self.model.info
        return info if self.data is None else info.model_copy(update={"data": self.data.info})

    @property
    def device(self) -> torch.device:
        return self.model.device

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        """Return it prepared for one run; see `Model.bind`."""
        return dataclasses.replace(self, model=self.model.bind(params, labels), calls=1)

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Return what the model's own `denoise` does, in as many calls as it takes.

        Raises:
            DoesNotFit: one evaluation alone is too much for the device.
        """
        while True:
            size = self.sizes.even(len(rows))
            try:
                denoised = self._in_calls(x, sigma, rows, labels, size)
            except RuntimeError as error:
                self.sizes.shrink(size, self.model, error)
                continue
            self.calls = max(self.calls, -(-len(rows) // size))
            return denoised

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Return one datum of each label; arguments as in `HasData.draw_data`.

        Raises:
            ValueError: there are no data on this worker, or none of some label.
        """
        if self.data is not None:
            return self.data.draw_data(labels, uniform, noise)
        if not isinstance(self.model, HasData):
            raise ValueError(f"model {self.info.name!r} was given no labelled data on this worker")
        return self.model.draw_data(labels, uniform, noise)

    def slices(self, needed: Sequence[int], labels: int) -> Iterator[slice]:
        """Cut rows into slices of a size for the device; arguments as in `call_sizes.slices`."""
        return slices(needed, labels, self.slice_evaluations)

    def _in_calls(
        self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor, size: int
    ) -> Tensor:
        if len(rows) <= size:
            return self.model.denoise(x, sigma, rows, labels)
        answers = []
        for some, theirs in zip(torch.split(rows, size), torch.split(labels, size), strict=True):
            # Only the rows it needs: a trunk that runs once a row must not run for all of them.
            needed, positions = torch.unique(some, return_inverse=True)
            answers.append(self.model.denoise(x[needed], sigma[needed], positions, theirs))
        return torch.cat(answers)
