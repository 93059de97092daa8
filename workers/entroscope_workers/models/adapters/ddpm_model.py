"""Networks trained on a DDPM grid as models: what diffusers' families have in common."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from entroscope.protocol.models import ModelInfo, ScheduleDefaults
from entroscope_workers.models.adapters.labels import label_names, label_presets
from entroscope_workers.models.adapters.network_model import NetworkModel, batch_sizes
from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.checkpoints.diffusers_folder import read_config
from entroscope_workers.models.entry import Entry
from entroscope_workers.numerics.ddpm import DdpmSchedule

#: Input (evaluations, *data), training step and class (evaluations,) to an output like the input.
Network = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class DdpmDenoiser:
    """E[x0 | x, class] from a network and its schedule, some evaluations at a time.

    Attributes:
        network: its output may have more channels than the data: what follows them is a learned
            variance.
        dtype: in which the network computes; its input and its output are float32 outside.
    """

    network: Network
    schedule: DdpmSchedule
    dtype: torch.dtype
    evaluations_at_once: int

    def __call__(self, x: Tensor, sigma: Tensor, rows: Tensor, classes: Tensor) -> Tensor:
        """Return the denoised data (evaluations, *data); arguments as in `Model.denoise`."""
        read, steps = self.schedule.inputs(x, sigma)
        denoised = torch.empty((len(rows), *x.shape[1:]), dtype=x.dtype, device=x.device)
        for first in range(0, len(rows), self.evaluations_at_once):
            some = slice(first, first + self.evaluations_at_once)
            row = rows[some]
            output = self.network(read[row].to(self.dtype), steps[row], classes[some])
            output = output[:, : x.shape[1]].to(x.dtype)
            denoised[some] = self.schedule.denoised(x[row], sigma[row], output)
        return denoised


class DdpmModel(NetworkModel):
    """The adapter: one network, whose null class, if any, is the unconditional branch.

    Args:
        classes: (labels + 1,), what the network calls each label, and at last the null class;
            (labels,) where it has none.
    """

    def __init__(
        self, info: ModelInfo, device: torch.device, denoiser: DdpmDenoiser, classes: Tensor
    ) -> None:
        super().__init__(info, device)
        self.denoiser = denoiser
        self.classes = classes.to(device)

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        if not self.info.unconditional and bool((labels == NO_LABEL).any()):
            raise ValueError(f"{self.info.name} has no unconditional branch")
        # NO_LABEL is -1: the last of the classes.
        return self.denoiser(x, sigma, rows, self.classes[labels])


def describe(
    entry: Entry,
    description: str,
    labels: tuple[str, ...],
    shape: tuple[int, int, int],
    schedule: DdpmSchedule,
    unconditional: bool,
    weights_hash: str,
) -> ModelInfo:
    """Return what the model says of itself.

    Raises:
        ValueError: there is nothing to decide.
    """
    _check_classes(entry, labels)
    return ModelInfo(
        name=entry.name,
        family=entry.family,
        title=entry.title or entry.name,
        description=entry.description or description,
        labels=labels,
        shape=shape,
        schedule=ScheduleDefaults(
            steps=64, sigma_max=schedule.sigma_max, sigma_min=schedule.sigma_min, rho=7.0
        ),
        batch_sizes=batch_sizes(len(labels)),
        unconditional=unconditional,
        presets=label_presets(entry.labels),
        weights_hash=weights_hash,
    )


def _check_classes(entry: Entry, labels: Sequence[str]) -> None:
    if len(labels) < 2:
        raise ValueError(
            f"model {entry.name!r}: expected two classes or more, found {len(labels)}: there is"
            " nothing to decide"
        )


def class_names(entry: Entry, folder: Path, classes: Sequence[int]) -> tuple[str, ...]:
    """Return the names that the entry gives, or `id2label` of model_index.json, or numbers.

    Args:
        folder: the pipeline's; classes: what the network calls them.
    Raises:
        ValueError: what is wrong with the entry's labels, or a class that the folder leaves out.
    """
    index = folder / "model_index.json"
    names = read_config(index).get("id2label") if index.is_file() else None
    if entry.labels is not None or names is None:
        return label_names(entry.labels, len(classes), f"model {entry.name!r}: labels")
    for label in map(str, classes):
        if not isinstance(names, dict) or label not in names:
            raise ValueError(f"{index}: expected 'id2label' of the network's classes, no {label!r}")
    return _short_names({label: str(names[str(label)]) for label in classes})


def _short_names(names: Mapping[int, str]) -> tuple[str, ...]:
    """Return the first of each class's synonyms, with its number where two share it.

    ImageNet has two cranes: a bird and a machine.
    """
    short = {label: name.split(",")[0].strip() or str(label) for label, name in names.items()}
    shared = Counter(short.values())
    return tuple(f"{name} ({label})" if shared[name] > 1 else name for label, name in short.items())
