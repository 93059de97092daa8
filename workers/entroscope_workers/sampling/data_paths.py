"""Paths of labelled data: noised, then read from the highest level down (guide: The posterior).

The forward chain is x_b -> x_a = x_b + sqrt(a^2 - b^2) n. Given its start x0, read backwards, it is
the reverse kernel of a denoiser that answers x0. So a path of data is a path that its own datum
moves, and needs no more than the noise level under way.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.plan.plan import Plan
from entroscope_workers.numerics.entropy import cross_entropy, posterior_entropy
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group
from entroscope_workers.numerics.reverse_step import ReverseStep
from entroscope_workers.sampling.loaded_model import LoadedModel


def draw_data(
    plan: Plan, model: LoadedModel, labels: Tensor, uniform: Tensor, noise: Tensor
) -> Tensor:
    """Return one datum a trajectory; arguments as in `HasData.draw_data`.

    Raises:
        ValueError: the model has none, or others than the run was made for.
    """
    data, wanted = model.info.data, plan.info.data
    if data is None:
        raise ValueError(f"model {model.info.name!r} was given no labelled data on this worker")
    if wanted is None or data.checksum != wanted.checksum:
        made_for = None if wanted is None else wanted.checksum
        raise ValueError(f"the run is for data {made_for}, this worker has {data.checksum}")
    return model.draw_data(labels, uniform, noise)


class DataPaths:
    """A batch of data on its way, with a second reading of every second state.

    Kernels from level k to k + 2, with the denoised data at k, give a posterior whose steps are
    twice as long and cost no evaluation. The error of the steps is of first order in them, so that
    2 full - half is free of most of it (Richardson).

    Attributes:
        data: (batch, *data), x0.
        logits: (batch, run labels), float64, log-posteriors of the half-path at even levels.
    """

    def __init__(self, data: Tensor, logits: Tensor, noise: Tensor) -> None:
        self.data, self.logits = data, logits
        self._noise = noise  # of the next step, drawn one step ahead

    def next_noise(self, draw: Callable[[], Tensor]) -> Tensor:
        """Return the normals of a step and draw those of the one after it."""
        present, self._noise = self._noise, draw()
        return present

    def moved(self, x: Tensor, rows: slice, sigma: float, sigma_next: float) -> Tensor:
        """Return where the step after the present one leads: states x (rows, *data) at sigma."""
        step = ReverseStep.between(sigma, sigma_next, x)
        return step.moved(self.data[rows], self._noise[rows])

    def read(
        self, step: int, logits: Tensor, label: Tensor, groupings: Sequence[Grouping]
    ) -> NDArray[np.float64]:
        """Return calibration.VALUES of every curve, (curves, values, batch).

        Args:
            logits: (batch, run labels), of the full path.
            label: (batch,), position of each true label among the run labels.
        """
        half = self.logits if step % 2 == 0 else None
        values = [_values(logits, half, label, grouping) for grouping in groupings]
        return torch.stack(values).cpu().numpy()


def _values(full: Tensor, half: Tensor | None, label: Tensor, grouping: Grouping) -> Tensor:
    truth = own_group(label, grouping)
    groups = group_log_posterior(full, grouping)[1]
    confidence, likeliest = groups.exp().max(1)
    unknown = torch.full_like(confidence, torch.nan)
    corrected = [unknown, unknown]
    if half is not None:
        other = group_log_posterior(half, grouping)[1]
        corrected = [
            2 * posterior_entropy(groups) - posterior_entropy(other),
            2 * cross_entropy(groups, truth) - cross_entropy(other, truth),
        ]
    return torch.stack([(likeliest == truth).double(), confidence, *corrected])
