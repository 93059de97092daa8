"""Values per trajectory of one curve while its batch runs, and their sums."""

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.calibration import calibration_sums
from entroscope.measurement.curves.estimation.companions import CompanionSums
from entroscope.measurement.curves.moments import Moments
from entroscope.protocol.quantities import (
    CROSS_ENTROPY,
    ENTROPY,
    GAP,
    MISSED,
    PRODUCTION,
    QUANTITIES,
    RISE,
    SHOWN,
)

Array = NDArray[np.float64]


class CurveTable:
    """Rows of QUANTITIES by step and trajectory, filled one step at a time.

    Attributes:
        values: (quantities, steps, batch), float64, each in its unit; NaN for trajectories that
            do not count.
    """

    def __init__(self, sigmas: Array, batch: int, jumps: frozenset[int] = frozenset()) -> None:
        """Args: jumps: the first steps of the parts between which production is not continuous."""
        self._jumps = jumps
        self.values: Array = np.full((len(QUANTITIES), len(sigmas), batch), np.nan)
        self._calibration: list[Array] = []  # of each step, on data paths
        self._log_sigmas = np.log(sigmas)
        self._integral: Array = np.zeros(batch)

    def add(self, step: int, measured: Array) -> None:
        """Take what was measured at one step: the first rows of QUANTITIES, (rows, batch).

        The others are had from these along the path; the integral is over ln sigma, by trapezoids.
        """
        level = self.values[:, step]
        level[: len(measured)] = measured
        entropy, production = measured[ENTROPY.row], measured[PRODUCTION.row]
        before = self.values[:, step - 1] if step else level
        if step:
            width = self._log_sigmas[step - 1] - self._log_sigmas[step]
            # The step was made with the kernel of its beginning; the other end is no part of it.
            after = before[PRODUCTION.row] if step in self._jumps else production
            self._integral = self._integral + 0.5 * width * (before[PRODUCTION.row] + after)
        level[GAP.row] = measured[CROSS_ENTROPY.row] - entropy
        level[MISSED.row] = entropy - self.values[ENTROPY.row, 0] + self._integral
        level[RISE.row] = entropy - before[ENTROPY.row]
        level[:, ~np.isfinite(level[CROSS_ENTROPY.row])] = np.nan

    def integrate(self, weights: Array) -> None:
        """Have M by other weights than trapezoids, once all steps are there.

        Args:
            weights: (steps, steps), as integral_weights gives them.
        """
        entropy, production = self.values[ENTROPY.row], self.values[PRODUCTION.row]
        self.values[MISSED.row] = entropy - entropy[0] + weights @ production

    def calibrate(self, measured: Array) -> None:
        """Take what data paths measure besides at the next step, (calibration.VALUES, batch)."""
        self._calibration.append(measured)

    def sums(self, step: int) -> tuple[int, Array, Array]:
        """Return how many trajectories count, and sums and squares of the quantities at a step."""
        row = self.values[:, step]
        counts = row[:, np.isfinite(row[ENTROPY.row])]
        return counts.shape[1], counts.sum(1), np.square(counts).sum(1)

    def moments(
        self,
        labels: NDArray[np.int64],
        num_labels: int,
        companions: CompanionSums | None = None,
    ) -> Moments:
        """Return the sums of the whole path."""
        if not self._calibration:
            return Moments.of(self.values, labels, num_labels, companions=companions)
        calibration = np.stack(self._calibration, axis=1)
        entropy, cross_entropy = self.values[ENTROPY.row], self.values[CROSS_ENTROPY.row]
        sums = calibration_sums(calibration, entropy, cross_entropy)
        return Moments.of(self.values, labels, num_labels, sums)

    def kept(self) -> NDArray[np.float32]:
        """Return what a record keeps of every trajectory: (quantities of SHOWN, steps, batch)."""
        return self.values[: len(SHOWN)].astype(np.float32)
