"""Guidance of a batch: what moves a state, and what its posterior is scored with."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from entroscope.protocol.spec import Guidance
from entroscope_workers.numerics.guidance import feedback_scale, guided


@dataclass(frozen=True, slots=True)
class GuidedPaths:
    """The guidance of a batch.

    Attributes:
        guidance: as the spec has it.
        log_prior: (labels,), float64.
        logits: (batch, labels), float64, log-posteriors scored with the model's own kernels, which
            `feedback` follows; those of the chain itself where it is scored with those anyway.
    """

    guidance: Guidance
    log_prior: Tensor
    logits: Tensor

    @classmethod
    def of(cls, guidance: Guidance | None, prior: Tensor, logits: Tensor) -> Self | None:
        if guidance is None:
            return None
        follows = logits.clone() if guidance.decoder == "guided" else logits
        return cls(guidance, prior.log(), follows)

    @property
    def scored_guided(self) -> bool:
        """Whether the posterior is scored with the guided kernels."""
        return self.guidance.decoder == "guided"

    def acts_at(self, sigma: float) -> bool:
        """Return whether a noise level is guided: in the interval (low, high], by more than 1."""
        return self.guidance.scale != 1 and self._low < sigma <= self._high

    def has_acted_by(self, sigma: float) -> bool:
        """Return whether states at a noise level may have been moved, or are now."""
        return self.guidance.scale != 1 and sigma <= self._high

    @property
    def _low(self) -> float:
        return 0.0 if self.guidance.interval is None else self.guidance.interval[0]

    @property
    def _high(self) -> float:
        return math.inf if self.guidance.interval is None else self.guidance.interval[1]

    def guide(self, free: Tensor, denoised: Tensor, rows: slice, kept: Tensor) -> Tensor:
        """Return the guided denoised data of every label, (rows, kept labels, *data).

        Args:
            free: (rows, *data), the unconditional branch.
            denoised: (rows, kept labels, *data).
            kept: (kept labels,), positions among the run labels.
        """
        scale = self._scale(rows, kept).to(denoised.dtype)
        return guided(free[:, None], denoised, scale.reshape(*scale.shape, *(1,) * (free.ndim - 1)))

    def _scale(self, rows: slice, kept: Tensor) -> Tensor:
        guidance = self.guidance
        log_posterior = torch.log_softmax(self.logits[rows], 1)[:, kept]
        if guidance.method == "cfg":
            return torch.full_like(log_posterior, guidance.scale)
        gained = log_posterior - self.log_prior[kept]
        return feedback_scale(gained, guidance.scale, guidance.max_scale)
