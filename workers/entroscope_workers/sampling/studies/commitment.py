"""Commitment of a batch of trajectories, step by step (measurement/curves/commitment.py)."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.commitment import (
    COUNTS,
    FIRST,
    FLIPS,
    LISTED,
    MOST_LISTED,
    PAIRS,
    THRESHOLDS,
)
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.plan.curves import Curve


@dataclass
class _Passage:
    """How a batch stands to one threshold.

    Attributes:
        above: the threshold, one half or more.
        holder: (batch,), the class above it, or -1.
        since: (batch,), the step from which on it has been without a break.
        first: (batch,), the first class that ever was, or -1.
        first_posterior: (batch,), its posterior there.
    """

    above: float
    holder: Tensor
    since: Tensor
    first: Tensor
    first_posterior: Tensor

    @classmethod
    def of(cls, above: float, batch: int, device: torch.device) -> "_Passage":
        none = torch.full((batch,), -1, device=device)
        certain = torch.ones(batch, dtype=torch.float64, device=device)
        return cls(above, none, none.clone(), none.clone(), certain)

    def add(self, step: int, top: Tensor, leader: Tensor) -> None:
        holder = torch.where(top > self.above, leader, -1)
        self.since = torch.where(holder == self.holder, self.since, step)
        self.holder = holder
        begins = (self.first < 0) & (holder >= 0)
        self.first = torch.where(begins, holder, self.first)
        self.first_posterior = torch.where(begins, top, self.first_posterior)


class Commitment:
    """Takes the posteriors of a batch step after step; keeps only what commitment needs."""

    def __init__(self, curve: Curve, label: Tensor, num_steps: int) -> None:
        """Args: curve: of single labels; label: (batch,), positions among the run labels."""
        self._columns = torch.tensor([group[0] for group in curve.groups], device=label.device)
        self._counts = torch.isin(label, self._columns)
        self._num_steps = num_steps
        self._passages = [_Passage.of(above, len(label), label.device) for above in THRESHOLDS]
        self._flips = torch.zeros(len(label), dtype=torch.int64, device=label.device)
        shape = (len(label), len(self._columns))
        self._peak = torch.zeros(shape, dtype=torch.float64, device=label.device)
        self._leader = torch.zeros_like(self._flips)

    def add(self, step: int, posterior: Tensor) -> None:
        """Take p(z | path) at a step, (batch, run labels)."""
        inside = posterior[:, self._columns]
        inside = inside / inside.sum(1, keepdim=True)
        top, leader = inside.max(1)
        for passage in self._passages:
            passage.add(step, top, leader)
        if step > 1:
            self._flips += leader != self._leader
        if step:  # at the highest level all are at their prior
            self._peak = torch.maximum(self._peak, inside)
        self._leader = leader

    def arrays(self, first: int) -> StudyArrays:
        """Return what the batch adds to the study; `first` is its first trajectory."""
        counted = self._counts.cpu().numpy()
        winner, flips = (t.cpu().numpy()[counted] for t in (self._leader, self._flips))
        peaks = self._peak.scatter(1, self._leader[:, None], -1.0)
        peak, contender = (t.cpu().numpy()[counted] for t in peaks.max(1))
        since = np.stack([self._since(p)[counted] for p in self._passages])  # (thresholds, n)
        number = first + np.flatnonzero(counted)
        listed = np.stack([number, winner, contender, peak, flips, *since], 1)
        return {
            COUNTS: np.stack([np.bincount(s, minlength=self._num_steps + 1) for s in since]),
            FLIPS: np.array([len(flips), flips.sum(), np.square(flips).sum()], np.float64),
            FIRST: np.stack([self._first(p, counted, winner) for p in self._passages]),
            PAIRS: _contests(winner, contender, peak),
            LISTED: listed[number < MOST_LISTED].astype(np.float64),
        }

    def _since(self, passage: _Passage) -> NDArray[np.int64]:
        """Return the step of commitment, or the number of steps for never."""
        since = torch.where(passage.holder >= 0, passage.since, self._num_steps)
        steps: NDArray[np.int64] = since.cpu().numpy()
        return steps

    def _first(
        self, passage: _Passage, counted: NDArray[np.bool_], winner: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        first, p = (t.cpu().numpy()[counted] for t in (passage.first, passage.first_posterior))
        reached = first >= 0
        p = p[reached]
        overtaken = (first != winner)[reached].sum()
        return np.array([reached.sum(), overtaken, (1 - p).sum(), (p * (1 - p)).sum()], np.float64)


def _contests(
    winner: NDArray[np.int64], contender: NDArray[np.int64], peak: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return rows of winner, contender, how many, and the sum of the contender's peaks."""
    both, index, n = np.unique(
        np.stack([winner, contender], 1), axis=0, return_inverse=True, return_counts=True
    )
    peaks = np.bincount(index.ravel(), peak, minlength=len(both))
    return np.column_stack([both, n, peaks]).astype(np.float64)
