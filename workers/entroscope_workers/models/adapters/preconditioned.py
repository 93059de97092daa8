"""Networks preconditioned as in Karras et al. 2022, table 1: what EDM and EDM2 have in common."""

from typing import Any, Protocol

import torch
from torch import Tensor

from entroscope.protocol.models import ModelInfo, ScheduleDefaults
from entroscope_workers.models.adapters.labels import label_names, label_presets
from entroscope_workers.models.adapters.network_model import NetworkModel, Pixels, batch_sizes
from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.checkpoints.network_files import (
    NetworkConfig,
    NetworkFile,
    combined_hash,
)
from entroscope_workers.models.entry import Entry


class Body(Protocol):
    """The raw network F, cut where the label comes in."""

    def stem(self, x: Tensor, c_noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and noise embedding of each row: what no label changes.

        Args:
            x: (batch, *data), float32, scaled to unit variance.
            c_noise: (batch,), float32.
        """
        ...

    def __call__(self, features: Tensor, noise: Tensor, labels: Tensor) -> Tensor:
        """Return F (evaluations, *data), one evaluation for each row of the arguments."""
        ...


class Denoiser:
    """D = c_skip x + c_out F(c_in x; c_noise, label); NO_LABEL is the zero vector of classes."""

    def __init__(self, body: Body, sigma_data: float, evaluations_at_once: int) -> None:
        self.body = body
        self.sigma_data = sigma_data
        self.evaluations_at_once = evaluations_at_once

    def __call__(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        """Return the denoised data; arguments and result as in `Model.denoise`."""
        level = sigma.double()[:, None, None, None]
        scale = (level.square() + self.sigma_data**2).sqrt()  # 1 / c_in
        features, noise = self.body.stem((x / scale).float(), (sigma.double().log() / 4).float())
        kept = ((self.sigma_data / scale).square() * x).float()  # c_skip x
        gain = (level * self.sigma_data / scale).float()  # c_out
        denoised = torch.empty((len(rows), *x.shape[1:]), device=x.device)
        for first in range(0, len(rows), self.evaluations_at_once):
            some = slice(first, first + self.evaluations_at_once)
            row = rows[some]
            raw = self.body(features[row], noise[row], labels[some])
            denoised[some] = torch.addcmul(kept[row], gain[row], raw.float())
        return denoised


class Preconditioned(NetworkModel):
    """The adapter: a conditional network, perhaps with an unconditional one beside, as a `Model`.

    Args:
        unconditional: answers NO_LABEL, where `info` says that something does.
    """

    def __init__(
        self,
        info: ModelInfo,
        device: torch.device,
        conditional: Denoiser,
        unconditional: Denoiser | None = None,
    ) -> None:
        super().__init__(info, device)
        self.conditional = conditional
        self.unconditional = unconditional or conditional

    @torch.inference_mode()
    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        nobody = labels == NO_LABEL
        if self.unconditional is self.conditional or not bool(nobody.any()):
            return self.conditional(x, sigma, rows, labels)
        denoised = torch.empty((len(rows), *x.shape[1:]), device=x.device)
        for network, mask in ((self.unconditional, nobody), (self.conditional, ~nobody)):
            denoised[mask] = network(x, sigma, rows[mask], labels[mask])
        return denoised


class PixelModel(Preconditioned, Pixels):
    """Data are pictures."""


def refuse_unused(entry: Entry, *fields: str) -> None:
    """Raise a ValueError where an entry gives what its family has no use for."""
    for field in fields:
        if (value := getattr(entry, field)) is not None:
            raise ValueError(
                f"model {entry.name!r}: family {entry.family!r} has no use for {field},"
                f" got {str(value)!r}"
            )


def describe(
    entry: Entry,
    title: str,
    conditional: NetworkFile[Any],
    unconditional: NetworkFile[Any] | None,
    label_dropout: bool,
) -> ModelInfo:
    """Return what the model says of itself.

    Args:
        label_dropout: the network saw no label now and then: it is its own unconditional branch.
    Raises:
        ValueError: there are no classes, or names of another number of them.
    """
    config: NetworkConfig = conditional.config
    _check_classes(conditional, unconditional)
    labels = label_names(entry.labels, config.label_dim, f"model {entry.name!r}: labels")
    digests = [file.digest for file in (conditional, unconditional) if file is not None]
    return ModelInfo(
        name=entry.name,
        family=entry.family,
        title=entry.title or entry.name,
        description=entry.description or title,
        labels=labels,
        shape=config.shape,
        # The grid of both papers, and of the published curves.
        schedule=ScheduleDefaults(steps=64, sigma_max=80.0, sigma_min=0.002, rho=7.0),
        batch_sizes=batch_sizes(len(labels)),
        unconditional=unconditional is not None or label_dropout,
        presets=label_presets(entry.labels),
        weights_hash=combined_hash(digests),
    )


def _check_classes(conditional: NetworkFile[Any], unconditional: NetworkFile[Any] | None) -> None:
    if conditional.config.label_dim < 2:
        raise ValueError(
            f"{conditional.path}: expected a network of two classes or more, found label_dim"
            f" {conditional.config.label_dim}; an unconditional network goes beside it"
            " (unconditional)"
        )
    if unconditional is None:
        return
    if unconditional.config.label_dim:
        raise ValueError(
            f"{unconditional.path}: expected an unconditional network (label_dim 0), found"
            f" label_dim {unconditional.config.label_dim}"
        )
    if unconditional.config.shape != conditional.config.shape:
        raise ValueError(
            f"{unconditional.path}: expected data of shape {conditional.config.shape} as the"
            f" conditional network has, found {unconditional.config.shape}"
        )
