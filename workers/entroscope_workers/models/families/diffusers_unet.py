"""Class-conditional UNet2DModel of diffusers, with the betas of any of its DDPM-type schedulers.

A folder with `unet` and `scheduler`, as a pipeline's `save_pretrained` writes it. Data are pictures
in -1..1. Options:

    null_class = 10     the class that stood for no label in training: the unconditional branch
    classes = 10        how many there are, where labels are embedded like time steps
    clip = true         clip the denoised picture where the scheduler does (`clip_sample`)
"""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from entroscope_workers.models.adapters.ddpm_model import (
    DdpmDenoiser,
    DdpmModel,
    Network,
    class_names,
    describe,
)
from entroscope_workers.models.adapters.network_model import (
    Pixels,
    evaluations_at_once,
    network_dtype,
)
from entroscope_workers.models.checkpoints.diffusers_folder import (
    LoadedNetwork,
    hash_files,
    load_network,
    load_schedule,
    model_folder,
)
from entroscope_workers.models.entry import Entry


class Options(BaseModel):
    """What an entry of this family may say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    null_class: int | None = Field(default=None, ge=0)
    classes: int | None = Field(default=None, ge=2, le=100_000)
    clip: bool = False


class DiffusersUnet(DdpmModel, Pixels):
    """Data are pictures, grey or in colour."""


def load_entry(entry: Entry, device: torch.device) -> DiffusersUnet:
    """Return the model of a folder.

    Raises:
        ValueError: what is wrong with which file, or with the entry.
    """
    folder = model_folder(entry, unused=("unconditional", "config", "vae"))
    options = _options(entry)
    schedule, schedule_file = load_schedule(folder, options.clip)
    dtype = network_dtype(entry, device)
    loaded = load_network(folder / "unet", "UNet2DModel", dtype)
    shape = _shape(loaded)
    _check_time(loaded, len(schedule.sigmas))
    classes, labels = _classes(entry, options, loaded)
    info = describe(
        entry,
        f"{len(labels)} classes, {shape[1]} x {shape[2]} pixels; UNet2DModel of diffusers.",
        labels,
        shape,
        schedule,
        options.null_class is not None,
        hash_files([*loaded.files, schedule_file]),
    )
    denoiser = DdpmDenoiser(
        _network(loaded, device),
        schedule.on(device),
        dtype,
        evaluations_at_once(
            int(_setting(loaded, "block_out_channels")[0]) * shape[1] * shape[2], device
        ),
    )
    return DiffusersUnet(info, device, denoiser, classes)


def _options(entry: Entry) -> Options:
    try:
        return Options.model_validate(entry.options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, ("options", *first["loc"])))
        raise ValueError(
            f"model {entry.name!r}: {field}: {first['msg']}, got {first['input']!r}"
        ) from error


def _network(loaded: LoadedNetwork, device: torch.device) -> Network:
    network = loaded.network.to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    if _setting(loaded, "class_embed_type") == "timestep":
        # diffusers feeds it float32 whatever the network computes in.
        network.class_embedding.float()
    # An embedding that was learned knows whole steps only: the nearest one.
    whole = _setting(loaded, "time_embedding_type") == "learned"

    def output(x: Tensor, steps: Tensor, classes: Tensor) -> Tensor:
        steps = steps.round().long() if whole else steps
        answer: Tensor = network(x, steps, classes, return_dict=False)[0]
        return answer

    return output


def _setting(loaded: LoadedNetwork, name: str) -> Any:
    """Return what the network was built with, defaults of diffusers included."""
    settings: Mapping[str, Any] = loaded.network.config
    return settings[name]


def _shape(loaded: LoadedNetwork) -> tuple[int, int, int]:
    path, size = loaded.files[0], _setting(loaded, "sample_size")
    if size is None:
        raise ValueError(f"{path}: expected 'sample_size', the pixels of a side; found none")
    height, width = (size, size) if isinstance(size, int) else size
    channels, out = _setting(loaded, "in_channels"), _setting(loaded, "out_channels")
    if channels not in (1, 3):
        raise ValueError(f"{path}: expected pictures: 'in_channels' 1 or 3, found {channels}")
    if out not in (channels, 2 * channels):
        raise ValueError(
            f"{path}: expected 'out_channels' {channels}, or {2 * channels} with a learned"
            f" variance; found {out}"
        )
    return (channels, height, width)


def _check_time(loaded: LoadedNetwork, levels: int) -> None:
    path, kind = loaded.files[0], _setting(loaded, "time_embedding_type")
    if kind == "fourier":
        raise ValueError(
            f"{path}: expected a network of DDPM's steps, found 'time_embedding_type'"
            " 'fourier', which is told noise levels of a variance-exploding process"
        )
    known = _setting(loaded, "num_train_timesteps")
    if kind == "learned" and (known or 0) < levels:
        raise ValueError(
            f"{path}: expected 'num_train_timesteps' {levels} or more, as the scheduler has,"
            f" found {known}"
        )


def _classes(
    entry: Entry, options: Options, loaded: LoadedNetwork
) -> tuple[Tensor, tuple[str, ...]]:
    """Return what the network calls the labels, the null class last, and their names."""
    count = _count(options, loaded)
    null = options.null_class
    if null is not None and null >= count:
        raise ValueError(
            f"model {entry.name!r}: options.null_class: the network has {count} classes, 0 to"
            f" {count - 1}, got {null}"
        )
    known = [index for index in range(count) if index != null]
    labels = class_names(entry, loaded.files[0].parents[1], known)
    return torch.tensor(known if null is None else [*known, null]), labels


def _count(options: Options, loaded: LoadedNetwork) -> int:
    path, kind = loaded.files[0], _setting(loaded, "class_embed_type")
    embedded = _setting(loaded, "num_class_embeds")
    if kind == "timestep":
        if options.classes is None:
            raise ValueError(
                f"{path}: 'class_embed_type' is 'timestep', which does not say how many classes"
                " there are: expected options.classes"
            )
        return options.classes
    if kind is not None:
        raise ValueError(f"{path}: 'class_embed_type' {kind!r} takes vectors, not classes")
    if embedded is None:
        raise ValueError(
            f"{path}: expected a class-conditional network ('num_class_embeds'), found an"
            " unconditional one: there is nothing to decide"
        )
    if options.classes not in (None, embedded):
        raise ValueError(f"{path}: expected {options.classes} classes, found {embedded}")
    return int(embedded)
