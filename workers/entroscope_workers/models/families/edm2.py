"""EDM2 (Karras et al. 2024): class-conditional U-Nets of any size, of pixels or of latents."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.models import ModelInfo
from entroscope_workers.models.adapters.latents import Autoencoder, glimpse, load_autoencoder
from entroscope_workers.models.adapters.network_model import (
    evaluations_at_once,
    network_dtype,
    to_uint8,
)
from entroscope_workers.models.adapters.preconditioned import (
    Denoiser,
    PixelModel,
    Preconditioned,
    describe,
    refuse_unused,
)
from entroscope_workers.models.checkpoints.network_files import NetworkFile, filled, read_network
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.networks.edm2 import Edm2Config, Precond

#: The autoencoder's latents of ImageNet at 512 x 512, which EDM2 brings to mean 0 and deviation
#: 0.5. Its pictures lie in 0..1, not in -1..1.
LATENT_MEANS = (5.81, 3.25, 0.12, -2.15)
LATENT_DEVIATIONS = (4.17, 4.62, 3.71, 3.28)
LATENT_CHANNELS = len(LATENT_MEANS)
PIXEL_CHANNELS = {1, 3}


class LatentModel(Preconditioned):
    """Data are normalised latents; there is no autoencoder at hand."""

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return to_uint8(glimpse(raw_latents(x)))


class DecodedLatentModel(Preconditioned):
    """Data are normalised latents of the pictures that an autoencoder makes of them."""

    def __init__(
        self,
        info: ModelInfo,
        device: torch.device,
        conditional: Denoiser,
        unconditional: Denoiser | None,
        autoencoder: Autoencoder,
    ) -> None:
        super().__init__(info, device, conditional, unconditional)
        self.autoencoder = autoencoder

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        return to_uint8(glimpse(raw_latents(x)))

    def decode(self, x: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self.autoencoder.decode(raw_latents(x)))

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        _, height, width = self.info.shape
        return (height * self.autoencoder.factor, width * self.autoencoder.factor, 3)

    def states(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return the normalised latents of pictures."""
        pixels = torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2)
        return normalised_latents(self.autoencoder.encode(pixels.float() / 255))


def raw_latents(x: Tensor) -> Tensor:
    """Return latents as the autoencoder has them; (batch, 4, height, width)."""
    means, deviations = _columns(x)
    return x.float() / 0.5 * deviations + means


def normalised_latents(raw: Tensor) -> Tensor:
    """Return latents as the network has them."""
    means, deviations = _columns(raw)
    return (raw - means) * 0.5 / deviations


def _columns(x: Tensor) -> tuple[Tensor, Tensor]:
    means, deviations = (
        torch.tensor(values, device=x.device)[:, None, None]
        for values in (LATENT_MEANS, LATENT_DEVIATIONS)
    )
    return means, deviations


def load_entry(entry: Entry, device: torch.device) -> Preconditioned:
    """Load a conditional network, and the unconditional one beside it where there is one.

    A conditional network by itself was not trained without labels: it has no unconditional branch,
    unless the option `label_dropout` says that labels were withheld now and then.

    Raises:
        ValueError: what is wrong with which file.
    """
    refuse_unused(entry, "config")
    label_dropout = _label_dropout(entry)
    conditional = read_network(entry.need_path(), "Precond", Edm2Config)
    beside = entry.unconditional
    unconditional = None if beside is None else read_network(beside, "Precond", Edm2Config)
    autoencoder = _autoencoder(entry, conditional, device)
    info = describe(entry, _title(conditional), conditional, unconditional, label_dropout)
    networks = (
        info,
        device,
        denoiser(conditional, entry, device),
        None if unconditional is None else denoiser(unconditional, entry, device),
    )
    if autoencoder is not None:
        return DecodedLatentModel(*networks, autoencoder)
    latents = conditional.config.img_channels == LATENT_CHANNELS
    return LatentModel(*networks) if latents else PixelModel(*networks)


def denoiser(file: NetworkFile[Edm2Config], entry: Entry, device: torch.device) -> Denoiser:
    """Return the denoiser of a checkpoint, ready on a device."""
    config, body = file.config, filled(Precond, file).unet.to(device)
    body.prepare(network_dtype(entry, device))
    at_once = evaluations_at_once(config.channels[0] * config.img_resolution**2, device)
    return Denoiser(body, config.sigma_data, at_once)


def _label_dropout(entry: Entry) -> bool:
    options = dict(entry.options)
    dropout = options.pop("label_dropout", False)
    entry.model_copy(update={"options": options}).without_options()
    if not isinstance(dropout, bool):
        raise ValueError(
            f"model {entry.name!r}: label_dropout must be true or false, got {dropout!r}"
        )
    return dropout


def _autoencoder(
    entry: Entry, file: NetworkFile[Edm2Config], device: torch.device
) -> Autoencoder | None:
    channels = file.config.img_channels
    if channels not in {*PIXEL_CHANNELS, LATENT_CHANNELS}:
        raise ValueError(
            f"{file.path}: expected data of 1 or 3 channels (pixels) or {LATENT_CHANNELS}"
            f" (latents), found {channels}"
        )
    if entry.vae is None:
        return None
    if channels != LATENT_CHANNELS:
        raise ValueError(
            f"model {entry.name!r}: a vae is for latents of {LATENT_CHANNELS} channels,"
            f" {file.path} has {channels}"
        )
    return load_autoencoder(entry.vae, LATENT_CHANNELS, device)


def _title(file: NetworkFile[Edm2Config]) -> str:
    config = file.config
    kind = "latents" if config.img_channels == LATENT_CHANNELS else "pixels"
    return (
        f"EDM2, base {config.model_channels} channels, {config.img_resolution} x"
        f" {config.img_resolution} {kind}, {config.label_dim} classes"
    )
