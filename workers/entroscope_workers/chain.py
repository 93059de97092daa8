"""The reverse stochastic chain of a batch, scored as it goes (science.md, sections 3 and 4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.protocol.plan import Plan
from entroscope_workers.chain_rule import ChainRules
from entroscope_workers.models.base import Model
from entroscope_workers.numerics.entropy import (
    BITS_PER_NAT,
    cross_entropy,
    disagreement,
    posterior_entropy,
    varentropy,
)
from entroscope_workers.numerics.kernels import kernel_mean, log_likelihoods, reverse_kernel
from entroscope_workers.numerics.noise import TrajectoryNoise
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group

#: Denoised data of one slice of rows, in bytes of float64: on a processor small enough to stay in
#: its cache, on a GPU large enough to fill it.
SLICE_BYTES = 2**20
SLICE_BYTES_GPU = 2**31


@dataclass(frozen=True, slots=True)
class Measured:
    """What one step found.

    Attributes:
        values: (curves, 6, batch): entropy, cross-entropy (NaN where the trajectory's label is
            outside the curve's partition), production, varentropy, chain and chain variance.
        posterior: (batch, run labels), p(z | path).
        denoised: (batch, *data), E[x0 | x, own label].
    """

    values: NDArray[np.float64]
    posterior: Tensor
    denoised: Tensor


class Chain:
    """A batch of trajectories on its way from sigma_max to sigma_min.

    Attributes:
        x: (batch, *data), states at the present noise level.
        logits: (batch, run labels), float64, ln p(z | path) up to a constant.
        own: (batch,), position of each trajectory's label among the run labels.
    """

    def __init__(self, plan: Plan, model: Model, trajectories: Sequence[int]) -> None:
        self.plan, self.model = plan, model
        self.sigmas = [float(sigma) for sigma in plan.sigmas]
        self._shape = model.info.shape
        self._noise = TrajectoryNoise(plan.spec.seed, trajectories, int(np.prod(self._shape)))
        self._columns = torch.from_numpy(plan.columns).to(model.device)
        self._groupings = [Grouping.of(curve.groups, model.device) for curve in plan.curves]
        self._chain_rules = ChainRules(plan.curves, model.device)
        self._start()

    def _start(self) -> None:
        """Draw each label from the prior and each state from the highest noise level."""
        uniforms = torch.from_numpy(self._noise.uniforms(2)).to(self.model.device)
        prior = torch.from_numpy(self.plan.prior).to(self.model.device)
        full = torch.from_numpy(self.plan.full_prior).to(self.model.device)
        label, component = uniforms.T.contiguous()
        self.own = torch.bucketize(label, prior.cumsum(0)[:-1].contiguous(), right=True)
        self.x = self.model.start(self._normals(), component, self.sigmas[0], full)
        self.logits = prior.log().expand(len(label), -1).clone()

    def steps(self) -> Iterator[Measured]:
        """Walk down the noise levels; yield what was measured at each."""
        for step in range(len(self.sigmas)):
            last = step + 1 == len(self.sigmas)
            noise = None if last else self._normals()
            posterior = torch.softmax(self.logits, 1)
            parts = [self._advance(step, rows, noise) for rows in self._slices()]
            values, denoised = zip(*parts, strict=True)
            yield Measured(torch.cat(values, 2).cpu().numpy(), posterior, torch.cat(denoised))

    def _slices(self) -> Iterator[slice]:
        """Rows whose denoised data, all labels, fit a slice."""
        limit = SLICE_BYTES if self.model.device.type == "cpu" else SLICE_BYTES_GPU
        size = max(1, limit // (8 * len(self._columns) * int(np.prod(self._shape))))
        for start in range(0, len(self.own), size):
            yield slice(start, start + size)

    def _advance(self, step: int, rows: slice, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """Measure some rows at this noise level and move them to the next one."""
        x, own = self.x[rows], self.own[rows]
        denoised = self._denoise_all(x, self.sigmas[step])  # (rows, labels, *data)
        apart = (denoised - denoised[:, :1]).flatten(2).double()  # (rows, labels, dim)
        squared = apart.square().sum(2)
        values = self._measure(apart, squared, self.logits[rows], own, self.sigmas[step])
        if not values[:, 2].isfinite().all():
            raise FloatingPointError(
                f"the model's denoised data are not finite at sigma {self.sigmas[step]:.4g}"
            )
        mine = denoised[torch.arange(len(own), device=own.device), own]
        if noise is not None:
            kernel = reverse_kernel(self.sigmas[step], self.sigmas[step + 1])
            x_next = kernel_mean(kernel, x, mine) + kernel.std * noise[rows]
            residual = (x_next - kernel_mean(kernel, x, denoised[:, 0])).flatten(1).double()
            self.logits[rows] += log_likelihoods(kernel, residual, apart, squared)
            self.x[rows] = x_next
        return values, mine

    def _denoise_all(self, x: Tensor, sigma: float) -> Tensor:
        """Return D_z(x; sigma) for every run label, (batch, labels, *data)."""
        batch, labels = len(x), len(self._columns)
        rows = torch.arange(batch, device=x.device).repeat_interleave(labels)
        sigmas = torch.full((batch,), sigma, dtype=torch.float64, device=x.device)
        denoised = self.model.denoise(x, sigmas, rows, self._columns.repeat(batch))
        return denoised.reshape(batch, labels, *self._shape)

    def _measure(
        self, apart: Tensor, squared: Tensor, logits: Tensor, own: Tensor, sigma: float
    ) -> Tensor:
        """Return the measured quantities of every curve, (curves, 6, rows)."""
        curves = []
        for grouping in self._groupings:
            members, groups = group_log_posterior(logits, grouping)
            truth = own_group(own, grouping)
            spread = disagreement(apart, squared, members, groups, grouping)
            production = BITS_PER_NAT * spread / sigma**2
            found = (
                posterior_entropy(groups),
                cross_entropy(groups, truth),
                production,
                varentropy(groups),
            )
            curves.append(torch.stack(found))
        values = torch.stack(curves)
        return torch.cat([values, self._chain_rules.residuals(logits, own, values[:, 0])], 1)

    def _normals(self) -> Tensor:
        normals = torch.from_numpy(self._noise.normals())
        normals = normals.to(device=self.model.device, dtype=self.model.dtype)
        return normals.reshape(-1, *self._shape)
