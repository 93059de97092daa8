"""Exact Gaussian mixtures in any dimension: the ground truth, and a model like any other."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.mixtures.params import mixture_params, mixture_schema
from entroscope.protocol.models import BatchSizes, DataInfo, ModelInfo, ScheduleDefaults
from entroscope_workers.models.adapters.pictures import draw_field, draw_points
from entroscope_workers.numerics.mixtures import Mixture


def load(device: torch.device) -> "GaussianMixture":
    """Return the family, bound to the mixture at -8, -4, 6, 8 until a run binds its own."""
    return GaussianMixture(device).bind({}, ())


@dataclasses.dataclass(frozen=True)
class GaussianMixture:
    """The denoiser of a mixture, known in closed form; states are float64."""

    device: torch.device
    mixture: Mixture | None = None
    dtype: torch.dtype = torch.float64

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="gaussian-mixture",
            family="gaussian-mixture",
            title="Gaussian mixture (exact)",
            description="A mixture of Gaussians in any dimension, with the exact denoiser.",
            shape=(1,) if self.mixture is None else (self.mixture.means.shape[1],),
            schedule=ScheduleDefaults(steps=64, sigma_max=128, sigma_min=0.05),
            batch_sizes=BatchSizes(first=32, largest=1024),
            unconditional=True,
            params_kind="mixture",
            params_schema=mixture_schema(),
            data=DataInfo(checksum="exact", part="exact samples"),
        )

    @property
    def exact(self) -> Mixture:
        """The mixture this model was bound to."""
        if self.mixture is None:
            raise RuntimeError("bind() the mixture before asking it for anything")
        return self.mixture

    def bind(self, params: dict[str, Any], labels: Sequence[str]) -> Self:
        checked = mixture_params(params)
        means = torch.from_numpy(checked.means()).to(self.device)
        prior = torch.from_numpy(checked.weights()).to(self.device)
        return dataclasses.replace(self, mixture=Mixture(means, checked.std, prior))

    def start(self, noise: Tensor, uniform: Tensor, sigma: float, prior: Tensor) -> Tensor:
        """Draw from the exact marginal: a component by its prior, then its widened Gaussian."""
        edges = prior.cumsum(0)[:-1].contiguous()
        component = torch.bucketize(uniform, edges, right=True)
        means, std = self.exact.means[component], self.exact.std
        widened: Tensor = means + (std**2 + sigma**2) ** 0.5 * noise
        return widened

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        return self.exact.denoise(x[rows], sigma[rows], labels)

    def draw_data(self, labels: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
        """Draw from the components: data that follow the model exactly."""
        return self.exact.means[labels] + self.exact.std * noise

    def pictures(self, x: Tensor) -> NDArray[np.uint8]:
        data, means = x.cpu().numpy(), self.exact.means.cpu().numpy()
        if data.shape[1] <= 2:
            return draw_points(data, means, self.exact.std)
        return draw_field(data, float(np.abs(means).max() + 2 * self.exact.std))
