"""EDM (Karras et al. 2022): the class-conditional DDPM++ networks, of CIFAR-10 and others."""

import torch

from entroscope_workers.models.adapters.network_model import evaluations_at_once, network_dtype
from entroscope_workers.models.adapters.preconditioned import (
    Denoiser,
    PixelModel,
    describe,
    refuse_unused,
)
from entroscope_workers.models.checkpoints.network_files import NetworkFile, filled, read_network
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.networks.edm import EdmConfig, EDMPrecond

PIXEL_CHANNELS = {1, 3}


def load_entry(entry: Entry, device: torch.device) -> PixelModel:
    """Load a conditional network, and the unconditional one beside it where there is one.

    A conditional network by itself has an unconditional branch if it was trained so: its
    configuration then has a `label_dropout` above 0.

    Raises:
        ValueError: what is wrong with which file.
    """
    refuse_unused(entry.without_options(), "config", "vae")
    conditional = read_network(entry.need_path(), "EDMPrecond", EdmConfig)
    beside = entry.unconditional
    unconditional = None if beside is None else read_network(beside, "EDMPrecond", EdmConfig)
    config = conditional.config
    if config.img_channels not in PIXEL_CHANNELS:
        raise ValueError(
            f"{conditional.path}: expected pictures of 1 or 3 channels, found {config.img_channels}"
        )
    dropout = config.label_dropout > 0
    info = describe(entry, _title(config), conditional, unconditional, dropout)
    return PixelModel(
        info,
        device,
        denoiser(conditional, entry, device),
        None if unconditional is None else denoiser(unconditional, entry, device),
    )


def denoiser(file: NetworkFile[EdmConfig], entry: Entry, device: torch.device) -> Denoiser:
    """Return the denoiser of a checkpoint, ready on a device."""
    config, body = file.config, filled(EDMPrecond, file).model.to(device)
    body.prepare(network_dtype(entry, device))
    return Denoiser(
        body,
        config.sigma_data,
        evaluations_at_once(config.channels[0] * config.img_resolution**2, device),
    )


def _title(config: EdmConfig) -> str:
    size = config.img_resolution
    return (
        f"EDM (DDPM++), base {config.model_channels} channels, {size} x {size} pixels,"
        f" {config.label_dim} classes"
    )
