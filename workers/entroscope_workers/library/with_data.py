"""Models that were given labelled data: `--data FOLDER` or `--data MODEL=FOLDER`."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo
from entroscope_workers.library.examples import Examples, read_examples
from entroscope_workers.models.base import Model, ReadsPictures


def with_data(model: Model, folder: Path | str) -> "WithData":
    """Return the model with the labelled pictures of a folder.

    Raises:
        ValueError: the model reads no pictures, or what is wrong with which file.
    """
    if not isinstance(model, ReadsPictures):
        raise ValueError(f"--data: model {model.info.name!r} takes no folder of pictures")
    examples = read_examples(Path(folder), model.info.labels, model.picture_shape)
    return WithData(model, model, examples)


def all_with_data(models: Mapping[str, Model], given: Sequence[str]) -> dict[str, Model]:
    """Return the models, those with data that `--data` options name.

    Args:
        given: FOLDER, for the only model that reads pictures, or MODEL=FOLDER.
    Raises:
        ValueError: an option names no model or two, or what is wrong with which file.
    """
    found = dict(models)
    for text in given:
        name, folder = _named(text, models)
        if isinstance(found[name], WithData):
            raise ValueError(f"--data: model {name!r} is given data twice")
        found[name] = with_data(found[name], folder)
    return found


def _named(text: str, models: Mapping[str, Model]) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if equals and name in models:
        return name, folder
    able = [name for name, model in models.items() if isinstance(model, ReadsPictures)]
    if len(able) != 1:
        readers = ", ".join(able) or "none"
        raise ValueError(
            f"--data {text}: say MODEL=FOLDER; of the models loaded, these read pictures: {readers}"
        )
    return able[0], text


@dataclasses.dataclass(frozen=True)
class WithData:
    """A model and labelled data; all else is the model's own."""

    model: Model
    pictured: ReadsPictures
    examples: Examples

    @property
    def info(self) -> ModelInfo:
        return self.model.info.model_copy(update={"data": self.examples.info})

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        return self.model.dtype

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        return dataclasses.replace(self, model=self.model.bind(params, labels))

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        return self.model.start(noise, uniform, sigma, prior)

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        return self.model.denoise(x, sigma, rows, labels)

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return self.model.pictures(x)

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Pick an example of each label: which one follows from the trajectory's own seed."""
        picked = self.examples.pick(labels.cpu().numpy(), uniform.cpu().numpy())
        return self.pictured.states(picked)
