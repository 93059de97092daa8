"""The fold of a run's log: records and points in, curves out. A run's curves are nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.checks import run_checks
from entroscope.measurement.curves.moments import Moments, merged, standard_error
from entroscope.measurement.curves.records import Point
from entroscope.measurement.curves.studies import study_checks
from entroscope.measurement.curves.study_arrays import StudyArrays, merged_arrays
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.quantities import QUANTITIES, SHOWN

Array = NDArray[np.float64]
NO_STUDIES: StudyArrays = {}


class Fold:
    """Merges what batches publish. The first record of a batch wins; order does not matter."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.facts: dict[int, dict[str, Any]] = {}
        self.moments: dict[int, dict[str, Moments]] = {}
        self._studies: dict[int, StudyArrays] = {}
        self._points: dict[tuple[int, int], Point] = {}
        self._sum: dict[str, Moments] = {}  # of all records, in the order they came
        # Of the records there are, in batch order; None until somebody asks.
        self._merged: dict[str, Moments] | None = None
        self._checks: list[dict[str, Any]] | None = None

    def add_point(self, point: Point) -> None:
        """Take a provisional point; a later one of the same batch and step replaces it.

        A point of a batch that has its record comes from a worker that is late: nothing new.
        """
        if point.batch in self.facts:
            return
        self._points[point.batch, point.step] = point

    def add_record(
        self,
        facts: Mapping[str, Any],
        moments: Mapping[str, Moments],
        studies: StudyArrays = NO_STUDIES,
    ) -> bool:
        """Take the record of a batch; return False where the batch had one already."""
        batch = int(facts["batch"])
        if batch in self.facts:
            return False
        of_batch = {c.key: _in_sides(self.plan, c, moments[c.key]) for c in self.plan.curves}
        self.facts[batch], self.moments[batch] = dict(facts), of_batch
        self._studies[batch] = studies
        self._merged = self._checks = None
        self._sum = {key: self._sum[key] + m if self._sum else m for key, m in of_batch.items()}
        steps = len(self.plan.sigmas)
        for step in range(steps):
            self._points.pop((batch, step), None)
        return True

    def keep(self, batches: int) -> None:
        """Drop everything beyond the first `batches` batches: an early stop took that prefix."""
        for batch in [b for b in self.facts if b >= batches]:
            del self.facts[batch], self.moments[batch], self._studies[batch]
        self._points.clear()
        self._merged = self._checks = None
        self._sum = self.merged()

    def final_batches(self) -> int | None:
        """Return with how many batches the run is done, or None while it is not.

        All of them, or with `target_se_bits` the smallest prefix whose every entropy is as sure.
        """
        target, moments = self.plan.spec.target_se_bits, None
        for batch in range(len(self.plan.batches)):
            if batch not in self.moments:
                return None
            more = self.moments[batch]
            moments = more if moments is None else {k: moments[k] + more[k] for k in more}
            if target is not None and _largest_error(moments) <= target:
                return batch + 1
        return len(self.plan.batches)

    def curves_at(self, step: int) -> dict[str, dict[str, Any]]:
        """Return every curve at one noise level: finished batches and those under way."""
        under_way = [point for (_, at), point in self._points.items() if at == step]
        curves = {}
        for index, curve in enumerate(self.plan.curves):
            n = sum(int(point.n[index]) for point in under_way)
            total = sum((point.total[index] for point in under_way), np.zeros(len(QUANTITIES)))
            square = sum((point.square[index] for point in under_way), np.zeros(len(QUANTITIES)))
            if self._sum:
                finished = self._sum[curve.key]
                n += finished.count
                total = total + finished.total[:, step]
                square = square + finished.square[:, step]
            curves[curve.key] = _scalars(n, total, square)
        return curves

    def merged(self) -> dict[str, Moments]:
        """Return the moments of every curve over the finished batches, in batch order."""
        if self._merged is None:
            order = sorted(self.moments)
            self._merged = {
                curve.key: merged(self.moments[batch][curve.key] for batch in order)
                for curve in self.plan.curves
                if order
            }
        return dict(self._merged)

    def studies(self) -> StudyArrays:
        """Return the arrays of the studies over the finished batches, in batch order."""
        return merged_arrays(self._studies[batch] for batch in sorted(self._studies))

    def checks(self) -> list[dict[str, Any]]:
        """Return the checks of curves and studies over the finished batches.

        They are computed once, until another batch is finished.
        """
        if self._checks is None:
            curves = run_checks(self.plan, self.merged())
            self._checks = [*curves, *study_checks(self.plan, self.studies())]
        return self._checks

    @property
    def trajectories(self) -> int:
        """Trajectories of the finished batches."""
        return sum(int(facts["trajectories"]) for facts in self.facts.values())


def _in_sides(plan: Plan, curve: Curve, moments: Moments) -> Moments:
    """Return the moments of a record that told all labels apart, as early ones did, by side."""
    return moments if len(moments.n) == plan.num_truths else moments.by_side(curve.groups[0][0])


def _largest_error(moments: Mapping[str, Moments]) -> float:
    # The prior has no error; a curve without trajectories has no known one, and is never met.
    errors = [np.nan_to_num(m.error("entropy"), nan=np.inf).max() for m in moments.values()]
    return float(max(errors))


def _scalars(n: int, total: Array, square: Array) -> dict[str, Any]:
    means = total / (n or np.nan)
    errors = standard_error(n, total, square)
    shown: dict[str, Any] = {"n": n}
    for quantity in SHOWN:
        shown[quantity.name] = float(means[quantity.row])
        shown[f"{quantity.name}_se"] = float(errors[quantity.row])
    return shown
