"""Latents of Stable Diffusion's autoencoder: a cheap glimpse of the picture, and the picture."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from entroscope_workers.models.checkpoints.diffusers_folder import load_network

#: What Stable Diffusion multiplies latents by, so that their variance is about one.
SCALING = 0.18215
#: Red, green and blue of each channel, of latents so scaled; the fit of user keturn,
#: https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204
FACTORS = (
    (0.298, 0.207, 0.208),
    (0.187, 0.286, 0.173),
    (-0.158, 0.189, 0.264),
    (-0.184, -0.271, -0.473),
)
#: Latents a VAE decodes at a time: one picture of 512 x 512 takes more than 1 GiB.
AT_ONCE = {"cpu": 1, "gpu": 4}


def glimpse(latents: Tensor) -> Tensor:
    """Return the approximate colours of latents as the encoder gives them, unscaled.

    Args:
        latents: (batch, 4, height, width).
    Returns:
        colours: (batch, 3, height, width), in the units of the decoder's pictures.
    """
    factors = torch.tensor(FACTORS, device=latents.device) * SCALING
    return torch.einsum("bchw,cr->brhw", latents.float(), factors)


class Autoencoder:
    """diffusers' AutoencoderKL of a folder, in float32."""

    def __init__(self, network: Any, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self._at_once = AT_ONCE["cpu" if device.type == "cpu" else "gpu"]

    @property
    def channels(self) -> int:
        """Channels of the latents."""
        return int(self.network.config.latent_channels)

    @property
    def factor(self) -> int:
        """Pixels of the picture along one of latents."""
        return int(2 ** (len(self.network.config.block_out_channels) - 1))

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """Return the pictures of unscaled latents: (batch, 3, factor height, factor width)."""
        chunks = torch.split(latents.float(), self._at_once)
        return torch.cat([self.network.decode(chunk).sample for chunk in chunks])

    @torch.inference_mode()
    def encode(self, pictures: Tensor) -> Tensor:
        """Return the mean latents of pictures, unscaled."""
        chunks = torch.split(pictures.float(), self._at_once)
        return torch.cat([self.network.encode(chunk).latent_dist.mean for chunk in chunks])


def load_autoencoder(folder: Path, channels: int, device: torch.device) -> Autoencoder:
    """Return the autoencoder of a folder with config.json and weights.

    Args:
        channels: those that the latents have.

    Raises:
        ValueError: the folder is missing, or holds something else.
    """
    try:
        network = load_network(folder, "AutoencoderKL", torch.float32).network
    except ValueError as error:
        raise ValueError(f"vae: {error}") from error
    held = network.config.latent_channels
    if held != channels:
        raise ValueError(f"vae: expected {channels} channels in {str(folder)!r}, found {held}")
    return Autoencoder(network, device)
