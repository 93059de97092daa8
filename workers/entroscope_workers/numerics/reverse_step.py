"""One reverse step: states moved to the next noise level, and what the move tells of their labels.

Chains, complement runs, copies of trajectories and plain sampling are all walks of such steps; a
second, coarser reading of a path is the same step between two of its levels further apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from torch import Tensor

from entroscope_workers.numerics.kernels import (
    Kernel,
    kernel_mean,
    log_likelihoods,
    reverse_kernel,
)

#: As `Model.denoise`: x (batch, *data), sigma (batch,), rows (evaluations,), labels (evaluations,).
Denoise = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Reading:
    """The denoised data of every label, as a step is scored with them.

    Attributes:
        reference: (rows, *data), D_ref, that of the label which the others are told relative to.
        apart: (rows, labels, dim), float64, D_z - D_ref; 0 where the row needs no label z.
        squared: (rows, labels), |apart|^2.
    """

    reference: Tensor
    apart: Tensor
    squared: Tensor

    @classmethod
    def of(cls, reference: Tensor, apart: Tensor) -> Self:
        return cls(reference, apart, apart.square().sum(2))

    @classmethod
    def relative(cls, reference: Tensor, denoised: Tensor, needed: Tensor | None = None) -> Self:
        """Read denoised data (rows, labels, *data), of those labels that `needed` says, or all.

        Args:
            reference: (rows, *data).
            needed: (rows, labels), bool.
        """
        apart = (denoised - reference[:, None]).flatten(2).double()
        return cls.of(reference, apart if needed is None else apart * needed[..., None])


@dataclass(frozen=True, slots=True)
class ReverseStep:
    """The step of states from noise level a to b: x' ~ N(keep x + (1 - keep) D_z, std^2).

    Attributes:
        x: (rows, *data), the states at a.
    """

    kernel: Kernel
    x: Tensor

    @classmethod
    def between(cls, sigma: float, sigma_next: float, x: Tensor) -> Self:
        """Return the step of states x at `sigma`; the levels need not be neighbours."""
        return cls(reverse_kernel(sigma, sigma_next), x)

    def moved(self, denoised: Tensor, noise: Tensor) -> Tensor:
        """Return x' as D and standard normals make it; all of shape (rows, *data)."""
        return kernel_mean(self.kernel, self.x, denoised) + self.kernel.std * noise

    def evidence(self, x_next: Tensor, reading: Reading) -> Tensor:
        """Return ln N(x'; mean_z, std^2) of every label, up to a constant common to all labels.

        Returns:
            (rows, labels), float64.
        """
        mean = kernel_mean(self.kernel, self.x, reading.reference)
        residual = (x_next - mean).flatten(1).double()
        return log_likelihoods(self.kernel, residual, reading.apart, reading.squared)


def joined_noise(sigmas: Sequence[float], normals: Sequence[Tensor]) -> Tensor:
    """Return the standard normals of one step whose noise is that of several steps in a row.

    From a by m to b the noise n_1 of the first step reaches b scaled by keep_2 = b^2/m^2, so that
    n = (keep_2 s_1 n_1 + s_2 n_2) / s, s_i the deviations of the steps and s that of the one step
    from a to b: keep_2^2 s_1^2 + s_2^2 = s^2  (guide: Error of the steps).

    Args:
        sigmas: noise levels, decreasing; normals: one for each step between them.
    """
    last = sigmas[-1]
    parts = [
        (last / below) ** 2 * reverse_kernel(above, below).std * noise.double()
        for (above, below), noise in zip(pairwise(sigmas), normals, strict=True)
    ]
    joined = sum(parts[1:], parts[0]) / reverse_kernel(sigmas[0], last).std
    return joined.to(normals[0].dtype)
