"""Stable Diffusion 1, and pipelines of the same kind: latents, and labels that are prompts.

A folder as diffusers writes it (model_index.json, unet, vae, text_encoder, tokenizer, scheduler),
or one safetensors file of the original code with `config`, such a folder without weights. Data are
latents in the U-Net's units, the autoencoder's mean times its `scaling_factor`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.params.prompts import prompts_schema
from entroscope.protocol.models import BatchSizes, ModelInfo, ScheduleDefaults
from entroscope_workers.models.adapters.ddpm_model import (
    DdpmDenoiser,
    DdpmModel,
    Network,
)
from entroscope_workers.models.adapters.latents import (
    FACTORS,
    Autoencoder,
    glimpse,
    load_autoencoder,
)
from entroscope_workers.models.adapters.network_model import (
    evaluations_at_once,
    network_dtype,
    pixel_pictures,
)
from entroscope_workers.models.adapters.text_prompts import TextEncoder, load_text_encoder
from entroscope_workers.models.checkpoints.diffusers_folder import (
    hash_files,
    load_network,
    load_schedule,
    read_config,
)
from entroscope_workers.models.checkpoints.ldm_file import LdmFile
from entroscope_workers.models.entry import Entry
from entroscope_workers.numerics.ddpm import DdpmSchedule

UNET = "UNet2DConditionModel"
#: What a U-Net may be told besides a prompt and a step, by the field of its configuration.
TOLD_MORE = (
    *("addition_embed_type", "class_embed_type", "num_class_embeds"),
    *("encoder_hid_dim_type", "time_cond_proj_dim"),
)


class Parts(NamedTuple):
    """What a pipeline is made of, and the files it was read from."""

    unet: Any
    autoencoder: Autoencoder
    text: TextEncoder
    schedule: DdpmSchedule
    files: list[Path]


class StableDiffusion(DdpmModel):
    """The adapter; `bind` encodes the prompts of a run, and the empty one for no label."""

    def __init__(
        self, info: ModelInfo, device: torch.device, denoiser: DdpmDenoiser, parts: Parts
    ) -> None:
        super().__init__(info, device, denoiser, torch.empty(0, dtype=torch.int64))
        self.parts = parts

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        states = self.parts.text.encode(labels).to(self.denoiser.dtype)
        denoiser = replace(self.denoiser, network=_told(self.parts.unet, states))
        bound = type(self)(self.info, self.device, denoiser, self.parts)
        bound.classes = torch.arange(len(states), device=self.device)
        return bound

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return pixel_pictures(glimpse(x.float() / self._scaling))

    def decode(self, x: Tensor) -> NDArray[np.uint8]:
        return pixel_pictures(self.parts.autoencoder.decode(x.float() / self._scaling))

    @property
    def _scaling(self) -> float:
        return float(self.parts.autoencoder.network.config.scaling_factor)


def load_entry(entry: Entry, device: torch.device) -> StableDiffusion:
    """Return the model of a pipeline on disk.

    Raises:
        ValueError: what is wrong with which file, or with the entry.
    """
    folder, single = _places(entry)
    _check_kind(folder)
    dtype = network_dtype(entry, device)
    parts = _parts(folder, single, entry.vae or folder / "vae", dtype, device)
    shape = _shape(parts, folder)
    info = _describe(entry, shape, parts)
    # The gated feed-forward part of a block is eight times as wide as the block.
    features = 8 * int(parts.unet.config.block_out_channels[0]) * shape[1] * shape[2]
    denoiser = DdpmDenoiser(
        _unbound, parts.schedule.on(device), dtype, evaluations_at_once(features, device)
    )
    return StableDiffusion(info, device, denoiser, parts)


def _places(entry: Entry) -> tuple[Path, Path | None]:
    """Return the folder of the configurations, and the single file of weights, if it is one."""
    entry.without_options()
    for field in ("unconditional", "labels"):
        if getattr(entry, field) is not None:
            raise ValueError(f"model {entry.name!r}: labels are prompts: takes no {field!r}")
    path = entry.need_path()
    if path.is_dir():
        if entry.config is not None:
            raise ValueError(
                f"model {entry.name!r}: config: {str(path)!r} is a folder and has its own"
            )
        return path, None
    if entry.config is None or not entry.config.is_dir():
        config = "found none" if entry.config is None else f"found {str(entry.config)!r}"
        raise ValueError(
            f"model {entry.name!r}: config: one file of weights needs the folder of a pipeline's"
            f" configurations (model_index.json, unet/config.json, ...), {config}"
        )
    return entry.config, path


def _check_kind(folder: Path) -> None:
    index = read_config(folder / "model_index.json")
    for part in ("text_encoder_2", "text_encoder_3"):
        if any(index.get(part) or ()):
            raise ValueError(
                f"{folder}: expected a pipeline like Stable Diffusion 1, found a second text"
                f" encoder ({index.get('_class_name')}): Stable Diffusion XL and 3 are not read"
            )
    path = folder / "unet" / "config.json"
    config = read_config(path)
    for name in TOLD_MORE:
        if config.get(name) is not None:
            raise ValueError(
                f"{path}: expected a U-Net that is told a prompt and a step, found one that is"
                f" told more: {name!r} is {config[name]!r}"
            )


def _parts(
    folder: Path, single: Path | None, vae: Path, dtype: torch.dtype, device: torch.device
) -> Parts:
    schedule, schedule_file = load_schedule(folder)
    ldm = None if single is None else LdmFile.read(single)
    text, files = load_text_encoder(folder, device, None if ldm is None else ldm.text_encoder())
    unet_folder, is_vae_inside = folder / "unet", vae == folder / "vae"
    if ldm is None:
        loaded = load_network(unet_folder, UNET, dtype)
        network, files = loaded.network, [*files, schedule_file, *loaded.files]
    else:
        path = unet_folder / "config.json"
        network, files = ldm.unet(read_config(path), dtype), [*files, schedule_file, path, ldm.path]
    if ldm is not None and is_vae_inside:
        autoencoder = Autoencoder(ldm.autoencoder(read_config(vae / "config.json")), device)
    else:
        autoencoder = load_autoencoder(vae, len(FACTORS), device)
    network = network.to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    return Parts(network, autoencoder, text, schedule, files)


def _shape(parts: Parts, folder: Path) -> tuple[int, int, int]:
    config: Mapping[str, Any] = parts.unet.config
    path, channels = folder / "unet" / "config.json", int(config["in_channels"])
    for name, expected in (("in_channels", len(FACTORS)), ("out_channels", len(FACTORS))):
        if config[name] != expected:
            raise ValueError(f"{path}: expected {name!r} {expected}, found {config[name]}")
    if parts.autoencoder.channels != channels:
        raise ValueError(
            f"{path}: expected an autoencoder of {channels} channels, found one of"
            f" {parts.autoencoder.channels}"
        )
    if config["cross_attention_dim"] != parts.text.width:
        raise ValueError(
            f"{path}: expected 'cross_attention_dim' {parts.text.width}, as the text encoder"
            f" has it, found {config['cross_attention_dim']}"
        )
    size = config["sample_size"]
    if size is None:
        raise ValueError(f"{path}: expected 'sample_size', the latents of a side; found none")
    height, width = (size, size) if isinstance(size, int) else size
    return (channels, int(height), int(width))


def _describe(entry: Entry, shape: tuple[int, int, int], parts: Parts) -> ModelInfo:
    height, width = (side * parts.autoencoder.factor for side in shape[1:])
    return ModelInfo(
        name=entry.name,
        family=entry.family,
        title=entry.title or entry.name,
        description=entry.description
        or f"Pictures of {height} x {width} pixels from prompts; Stable Diffusion's kind.",
        label_kind="prompts",
        shape=shape,
        schedule=ScheduleDefaults(
            steps=100, sigma_max=parts.schedule.sigma_max, sigma_min=parts.schedule.sigma_min
        ),
        batch_sizes=BatchSizes(first=8, largest=32),
        unconditional=True,
        params_kind="prompts",
        params_schema=prompts_schema(),
        weights_hash=hash_files(parts.files),
    )


def _told(unet: Any, states: Tensor) -> Network:
    def output(x: Tensor, steps: Tensor, prompts: Tensor) -> Tensor:
        answer: Tensor = unet(x, steps, states[prompts], return_dict=False)[0]
        return answer

    return output


def _unbound(x: Tensor, steps: Tensor, prompts: Tensor) -> Tensor:
    raise RuntimeError("bind() the prompts before asking for anything")
