"""Models that were given labelled data: `--data FOLDER` or `--data MODEL=FOLDER`."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from entroscope.protocol.models import DataInfo
from entroscope_workers.library.examples import Examples, read_examples
from entroscope_workers.models.base import Model, ReadsPictures
from entroscope_workers.sampling.loaded_model import LoadedModel


@dataclasses.dataclass(frozen=True, slots=True)
class PictureData:
    """Labelled pictures as data of a model."""

    examples: Examples
    reader: ReadsPictures

    @property
    def info(self) -> DataInfo:
        return self.examples.info

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Pick an example of each label: which one follows from the trajectory's own seed."""
        picked = self.examples.pick(labels.cpu().numpy(), uniform.cpu().numpy())
        return self.reader.states(picked)


def with_data(model: Model, folder: Path | str) -> LoadedModel:
    """Return the model with the labelled pictures of a folder.

    Raises:
        ValueError: the model reads no pictures, or what is wrong with which file.
    """
    if not isinstance(model, ReadsPictures):
        raise ValueError(f"--data: model {model.info.name!r} takes no folder of pictures")
    examples = read_examples(Path(folder), model.info.labels, model.picture_shape)
    return dataclasses.replace(LoadedModel.of(model), data=PictureData(examples, model))


def all_with_data(models: Mapping[str, Model], options: Sequence[str]) -> dict[str, LoadedModel]:
    """Return the models, those with data that `--data` options name.

    Args:
        options: FOLDER, for the only model that reads pictures, or MODEL=FOLDER.
    Raises:
        ValueError: an option names no model or two, or what is wrong with which file.
    """
    loaded = {name: LoadedModel.of(model) for name, model in models.items()}
    for text in options:
        name, folder = _named(text, models)
        if loaded[name].data is not None:
            raise ValueError(f"--data: model {name!r} is given data twice")
        loaded[name] = with_data(models[name], folder)
    return loaded


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
