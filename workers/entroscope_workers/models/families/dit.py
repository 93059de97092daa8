"""DiT: diffusion transformers on latents (Peebles and Xie 2022), as a pipeline of diffusers.

A folder with `transformer`, `scheduler` and `vae`. The class after the last one stood for no label
in training: it is the unconditional branch. Names come from `id2label` of `model_index.json`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo
from entroscope_workers.models.adapters.ddpm_model import (
    DdpmDenoiser,
    DdpmModel,
    Network,
    class_names,
    describe,
)
from entroscope_workers.models.adapters.latents import Autoencoder, glimpse, load_autoencoder
from entroscope_workers.models.adapters.network_model import (
    evaluations_at_once,
    network_dtype,
    pixel_pictures,
)
from entroscope_workers.models.checkpoints.diffusers_folder import (
    LoadedNetwork,
    hash_files,
    load_network,
    load_schedule,
    model_folder,
)
from entroscope_workers.models.entry import Entry

#: Channels of the latents that `glimpse` knows the colours of.
LATENT_CHANNELS = 4


class Dit(DdpmModel):
    """Data are latents, multiplied by the autoencoder's scaling factor."""

    def __init__(
        self,
        info: ModelInfo,
        device: torch.device,
        denoiser: DdpmDenoiser,
        classes: Tensor,
        vae: Autoencoder,
    ) -> None:
        super().__init__(info, device, denoiser, classes)
        self.vae = vae
        self.scaling = float(vae.network.config.scaling_factor)

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        """Return a linear map of the latents, one pixel for each."""
        return pixel_pictures(glimpse(x / self.scaling))

    def decode(self, x: Tensor) -> NDArray[np.uint8]:
        return pixel_pictures(self.vae.decode(x / self.scaling))


def load_entry(entry: Entry, device: torch.device) -> Dit:
    """Return the model of a folder.

    Raises:
        ValueError: what is wrong with which file, or with the entry.
    """
    folder = model_folder(entry.without_options(), unused=("unconditional", "config"))
    schedule, schedule_file = load_schedule(folder)
    dtype = network_dtype(entry, device)
    loaded = load_network(folder / "transformer", "DiTTransformer2DModel", dtype)
    settings: Mapping[str, Any] = loaded.network.config
    shape, count = _shape(loaded), int(settings["num_embeds_ada_norm"])
    labels = class_names(entry, folder, range(count))
    vae = load_autoencoder(entry.vae or folder / "vae", LATENT_CHANNELS, device)
    info = describe(
        entry,
        f"{count} classes, {vae.factor * shape[1]} x {vae.factor * shape[2]} pixels; DiT.",
        labels,
        shape,
        schedule,
        True,
        hash_files([*loaded.files, schedule_file]),
    )
    # The hidden layer of a block's feed-forward part is four times as wide as its tokens.
    tokens = (shape[1] // settings["patch_size"]) ** 2
    width = settings["num_attention_heads"] * settings["attention_head_dim"]
    at_once = evaluations_at_once(4 * width * tokens, device)
    denoiser = DdpmDenoiser(_network(loaded, device), schedule.on(device), dtype, at_once)
    # The last index is the null class; labels are not dropped at random in evaluation mode.
    return Dit(info, device, denoiser, torch.arange(count + 1), vae)


def _network(loaded: LoadedNetwork, device: torch.device) -> Network:
    network = loaded.network.to(device)

    def output(x: Tensor, steps: Tensor, classes: Tensor) -> Tensor:
        answer: Tensor = network(x, timestep=steps, class_labels=classes, return_dict=False)[0]
        return answer

    return output


def _shape(loaded: LoadedNetwork) -> tuple[int, int, int]:
    path, settings = loaded.files[0], loaded.network.config
    channels, out = settings["in_channels"], settings["out_channels"]
    if channels != LATENT_CHANNELS:
        raise ValueError(
            f"{path}: expected latents of {LATENT_CHANNELS} channels ('in_channels'), as Stable"
            f" Diffusion's autoencoder makes them, found {channels}"
        )
    if out not in (None, channels, 2 * channels):
        raise ValueError(
            f"{path}: expected 'out_channels' {channels}, or {2 * channels} with a learned"
            f" variance; found {out}"
        )
    return (channels, settings["sample_size"], settings["sample_size"])
