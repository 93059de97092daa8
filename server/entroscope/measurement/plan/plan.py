"""What a resolved spec means for its model: labels, prior, noise levels, curves and batches."""

import hashlib
import json
from collections.abc import Sequence
from copy import copy
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.params.bound import Bound
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.companions import (
    companion_counts,
    companion_depth,
    companion_levels,
)
from entroscope.measurement.plan.complement import (
    HALF,
    evaluations_per_level,
    is_complement_run,
    knows_sides_only,
)
from entroscope.measurement.plan.curves import Curve, curves_of, find_label, named_labels
from entroscope.measurement.plan.noise_levels import guidance_edges, karras
from entroscope.measurement.plan.paired_previews import sharing_labels
from entroscope.measurement.plan.study_levels import study_evaluations
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import DataInfo, ModelInfo
from entroscope.protocol.partitions import is_each_vs_rest
from entroscope.protocol.patience import wanted
from entroscope.protocol.spec import BatchPlan, Schedule, Spec
from entroscope.protocol.studies_spec import Studies

Array = NDArray[np.float64]

#: A label with a smaller share of all weights is as good as none.
LEAST_SHARE = 1e-100


def spec_hash(
    spec: Spec,
    weights_hash: str | None = None,
    data: DataInfo | None = None,
    labels: Sequence[str] = (),
) -> str:
    """Return the identity of a resolved spec: the same hash, the same numbers (previews aside).

    Args:
        labels: of the model; a label that a partition gives by its index counts as its name.
    """
    document = spec.document()
    del document["previews"]
    if not spec.companions:  # as runs before companions were hashed
        del document["companions"]
    document["partitions"] = named_labels(document["partitions"], labels)
    inputs = [weights_hash]
    if spec.paths_from == "data" and data is not None:
        inputs.append(data.checksum)
    text = json.dumps([document, *inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Plan:
    """What a resolved spec means for its model.

    Attributes:
        bound: the model with the run's params.
        labels: every label of the bound model.
        columns: (run labels,), int64: the labels the run evaluates, as indices into `labels`; all
            other arrays "over run labels" follow this order.
        prior: (run labels,), summing to 1.
        curves: the decisions measured, each with groups of positions in `columns`.
        sigmas: (steps,), noise levels, highest first.
        batches: (first trajectory, size) of each batch.
    """

    def __init__(self, spec: Spec, info: ModelInfo) -> None:
        bound = bind_params(info, spec.params)
        self.spec, self.info, self.bound, self.labels = spec, info, bound, bound.labels
        curves = curves_of(spec.partitions, bound.labels)
        used = sorted(set().union(*(group for curve in curves for group in curve.groups)))
        weights = _weights(spec, bound, curves)
        self.columns: NDArray[np.int64] = np.array(used, dtype=np.int64)
        self.prior: Array = weights[self.columns] / weights[self.columns].sum()
        positions = {label: column for column, label in enumerate(used)}
        if len(used) < len(bound.labels):
            curves = tuple(curve.renumbered(positions) for curve in curves)
        self.curves: tuple[Curve, ...] = curves

    def with_studies(self, studies: Studies) -> "Plan":
        """Return the plan of the same run with other studies."""
        other = copy(self)
        other.spec = self.spec.model_copy(update={"studies": studies})
        return other

    @property
    def hash(self) -> str:
        """The identity of the run: the same hash, the same numbers (previews aside)."""
        filled = self.spec.model_copy(update={"params": self.bound.params})
        return spec_hash(filled, self.info.weights_hash, self.info.data, self.labels)

    @cached_property
    def full_prior(self) -> Array:
        """The run's prior over all labels of the model, 0 for those it does not evaluate."""
        full = np.zeros(len(self.labels))
        full[self.columns] = self.prior
        return full

    @cached_property
    def sigmas(self) -> Array:
        levels = self.spec.schedule.sigmas
        return karras(self.spec.schedule) if levels is None else np.array(levels, np.float64)

    @cached_property
    def edges(self) -> frozenset[int]:
        """Steps at which guidance begins or has ended."""
        return guidance_edges(self.spec.guidance, self.sigmas.tolist())

    @property
    def companion_share(self) -> float:
        """Share of the trajectories that have a companion; runs of early versions have none."""
        return self.spec.companions or 0.0

    @cached_property
    def companion_levels(self) -> tuple[tuple[int, ...], ...]:
        """Levels of companions and of theirs, as places among the run's."""
        return companion_levels(len(self.sigmas), self.edges)

    def companion_depth(self, trajectories: Sequence[int]) -> NDArray[np.int64]:
        """Return how many companions each trajectory has, one after the other."""
        return companion_depth(trajectories, self.companion_share, self.turns)

    @property
    def turns(self) -> int:
        """How many classes take turns among the trajectories; 1 where each counts for all."""
        return len(self.complement_classes) if is_complement_run(self.spec) else 1

    def at_levels(self, levels: Sequence[int]) -> "Plan":
        """Return the plan of the same run on some of its noise levels."""
        schedule = Schedule(sigmas=[float(self.sigmas[level]) for level in levels])
        return Plan(self.spec.model_copy(update={"schedule": schedule}), self.info)

    @cached_property
    def batches(self) -> tuple[tuple[int, int], ...]:
        sizes = self.spec.batch_sizes or BatchPlan.of(self.info.batch_sizes)
        return batch_layout(self.spec.trajectories, sizes)

    @property
    def num_batches(self) -> int:
        """How many batches the run has, counted before any is made."""
        sizes = self.spec.batch_sizes or BatchPlan.of(self.info.batch_sizes)
        return count_batches(self.spec.trajectories, sizes)

    @property
    def num_truths(self) -> int:
        """True labels that a curve tells apart: the run's and "the rest", or two where it can."""
        if knows_sides_only(self.spec):
            return 2
        return len(self.columns) + is_complement_run(self.spec)

    def truth_names(self, curve: Curve) -> list[str]:
        """Return what the true labels of a curve's trajectories are called, (num_truths,)."""
        if knows_sides_only(self.spec):
            return [curve.names[0], "rest"]
        labels = [self.labels[column] for column in self.columns]
        return [*labels, "rest"] if is_complement_run(self.spec) else labels

    def is_against_rest(self, curve: Curve) -> bool:
        """Return whether a curve is that of a class against the rest."""
        return is_each_vs_rest(self.spec.partitions[curve.partition])

    @cached_property
    def complement_classes(self) -> NDArray[np.int64]:
        """The classes that are set against the rest, as positions among the run labels."""
        return np.unique([curve.groups[0][0] for curve in self.curves])

    @cached_property
    def complement_priors(self) -> Array:
        """Probability of each run label against its complement, (run labels,)."""
        wanted = self.spec.pair_prior
        if not is_complement_run(self.spec) or wanted == "prior":
            return self.prior
        return np.full(len(self.prior), HALF if wanted is None else wanted)

    @cached_property
    def sharing_labels(self) -> tuple[int, ...]:
        """Labels of the model that share each noise of twin previews."""
        likely = self.columns[self.prior > 0].tolist()
        return sharing_labels(self.spec.previews, likely)

    @property
    def shared_noises(self) -> int:
        """How many noises twin previews show, each once for every label that shares it."""
        labels, previews = self.sharing_labels, self.spec.previews
        return previews.samples // len(labels) if labels and previews is not None else 0

    @property
    def evaluations(self) -> int:
        """Evaluations (sample, label, sigma) of the whole run, at most."""
        main = self.spec.trajectories * len(self.sigmas) * self.labels_evaluated
        return main + self.companion_evaluations + self.study_evaluations + self.preview_evaluations

    @property
    def companion_evaluations(self) -> int:
        """Those of all companions and of theirs, at most."""
        counts = companion_counts(self.spec.trajectories, self.companion_share, self.turns)
        levels = sum(n * len(at) for n, at in zip(counts, self.companion_levels, strict=True))
        return levels * self.labels_evaluated

    @property
    def work(self) -> float:
        """The same in evaluations of the model as it is offered: what its rate is counted in."""
        return self.evaluations * self.bound.cost()

    @property
    def study_evaluations(self) -> int:
        """Evaluations of the studies alone."""
        return study_evaluations(self.spec.studies, self.sigmas, len(self.columns))

    @property
    def preview_evaluations(self) -> int:
        """Those of all twin previews: every sharing label for every sample.

        Guided, each sample takes one more, that of no label, at every noise level at most.
        """
        sharing = len(self.sharing_labels)
        each = sharing + (self.spec.guidance is not None)
        return self.shared_noises * sharing * each * len(self.sigmas)

    @property
    def labels_evaluated(self) -> int:
        """Labels of one sample that are evaluated at one noise level, "no label" among them."""
        if is_complement_run(self.spec):
            return evaluations_per_level(self.spec)
        return len(self.columns) + (self.spec.guidance is not None)


def batch_layout(trajectories: int, sizes: BatchPlan) -> tuple[tuple[int, int], ...]:
    """Return (first trajectory, size) of each batch: doubling from `first` up to `largest`."""
    batches, start, size = [], 0, sizes.first
    while start < trajectories:
        batches.append((start, min(size, trajectories - start)))
        start, size = start + size, min(2 * size, sizes.largest)
    return tuple(batches)


def count_batches(trajectories: int, sizes: BatchPlan) -> int:
    """Return the number of batches that `batch_layout` makes."""
    batches, start, size = 0, 0, sizes.first
    while start < trajectories and size < sizes.largest:
        batches, start, size = batches + 1, start + size, min(2 * size, sizes.largest)
    return batches + max(0, -(-(trajectories - start) // size))


def _weights(spec: Spec, bound: Bound, curves: Sequence[Curve]) -> Array:
    if spec.prior == "model":
        return bound.prior
    if spec.prior == "uniform":
        return np.ones(len(bound.labels))
    weights = np.zeros(len(bound.labels))
    for label, weight in spec.prior.items():
        weights[find_label(label, bound.labels, "prior")] = weight
    least, total = min(spec.prior.values(), default=1.0), sum(spec.prior.values())
    if not least > LEAST_SHARE * total:
        reason = f"every share must be > {LEAST_SHARE:g}, the least is {least:g} of {total:g}"
        raise SpecError("prior", spec.prior, reason)
    for curve in wanted(curves):
        for group in curve.groups:
            if not weights[list(group)].sum() > 0:
                raise SpecError("prior", spec.prior, f"leaves a group of {curve.key!r} no weight")
    return weights
