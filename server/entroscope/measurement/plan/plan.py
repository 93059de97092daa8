"""From a spec and a model to what is done: labels, prior, noise levels, curves and batches."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from entroscope.measurement.mixtures.params import mixture_params, mixture_schedule
from entroscope.measurement.plan.complement import (
    check_pairs,
    fill_pairs,
    has_sides,
    is_paired,
    pair_classes,
    pair_evaluations,
)
from entroscope.measurement.plan.cost import pair_cost
from entroscope.measurement.plan.curves import Curve, curves_of, find_label
from entroscope.measurement.plan.noise_levels import karras
from entroscope.measurement.plan.paired_previews import fill_previews, preview_evaluations
from entroscope.measurement.plan.prompts import fill_prompts, prompts_of
from entroscope.measurement.plan.rules import check_guidance, check_pruning
from entroscope.measurement.plan.study_levels import Mode, resolved_studies, study_evaluations
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import DataInfo, ModelInfo, ScheduleDefaults
from entroscope.protocol.partitions import Preset
from entroscope.protocol.spec import RULE, BatchPlan, Schedule, Spec

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bound:
    """A model with a run's params: labels, training frequencies, usual schedule and presets.

    The schedule is worked out only when asked for: that of a large mixture needs all of its means.
    """

    labels: tuple[str, ...]
    prior: Array
    schedule: Callable[[], ScheduleDefaults]
    presets: tuple[Preset, ...] = ()


def bind_params(info: ModelInfo, params: dict[str, Any]) -> Bound:
    """Check params against the model and return what they decide.

    Raises:
        SpecError: a parameter is unknown or out of range.
    """
    if info.family == "gaussian-mixture":
        return _bind_mixture(params)
    if params and info.label_kind != "prompts":
        raise SpecError("params", params, f"model {info.name!r} has no parameters")
    labels = prompts_of(params) if info.label_kind == "prompts" else info.labels
    uniform = np.full(len(labels), 1 / max(1, len(labels)))
    prior = uniform if info.prior is None else np.array(info.prior, dtype=np.float64)
    return Bound(labels, prior, lambda: info.schedule, info.presets)


def _filled(bound: Bound, given: dict[str, Any]) -> dict[str, Any]:
    return bound.schedule().model_dump() | given


def _bind_mixture(params: dict[str, Any]) -> Bound:
    try:
        checked = mixture_params(params)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(["params", *(str(part) for part in first["loc"][1:])])
        reason = first["msg"].removeprefix("Value error, ")
        raise SpecError(place, first["input"], reason) from None
    return Bound(
        checked.labels(), checked.weights(), lambda: mixture_schedule(checked), checked.presets()
    )


def resolve(spec: Spec, info: ModelInfo) -> Spec:
    """Return the spec with everything that it leaves to the model filled in.

    Raises:
        SpecError: the model cannot run it.
    """
    spec = fill_prompts(spec, info)
    bound = bind_params(info, spec.params)
    sizes = spec.batch_sizes or BatchPlan.of(info.batch_sizes)
    schedule = _resolved_schedule(spec.schedule, bound)
    filled = {"schedule": schedule, "batch_sizes": sizes, **fill_pairs(spec)}
    filled["previews"] = fill_previews(spec, info)
    resolved = spec.model_copy(update=filled)
    plan = Plan(resolved, info)  # checks labels, partitions and prior
    check_guidance(resolved.guidance, plan)
    check_pruning(resolved.prune_below, plan)
    _check_paths(plan)
    check_pairs(resolved, info, len(pair_classes(plan)), plan.prior, bound.prior)
    _check_studies(resolved)
    mode = Mode(
        spec.trajectories, spec.guidance is not None, spec.prune_below > 0, info.unconditional
    )
    studies = resolved_studies(spec.studies, plan.sigmas, mode)
    return resolved.model_copy(update={"studies": studies})


def _resolved_schedule(schedule: Schedule, bound: Bound) -> Schedule:
    if schedule.sigmas is not None:
        return schedule
    given = schedule.model_dump(exclude_none=True)
    merged = given if set(given) == set(RULE) else _filled(bound, given)
    if merged["sigma_min"] >= merged["sigma_max"]:
        field = "sigma_max" if "sigma_max" in given else "sigma_min"
        raise SpecError(
            f"schedule.{field}",
            merged[field],
            f"sigma_min must be < sigma_max, got {merged['sigma_min']:g} and "
            f"{merged['sigma_max']:g}",
        )
    return Schedule(**merged)


def _check_studies(spec: Spec) -> None:
    """Refuse studies where the posterior of every class along paths of the model is not at hand."""
    asked = spec.studies.branching or spec.studies.switch
    if asked is None:
        return
    if spec.paths_from == "data":
        reason = "needs paths of the model: data cannot be sampled again from their middle"
        raise SpecError("studies", spec.studies.model_dump(), reason)
    if is_paired(spec):
        reason = "needs complement 'classes': pairs know the posterior of one class only"
        raise SpecError("studies", spec.studies.model_dump(), reason)


def _check_paths(plan: "Plan") -> None:
    """Refuse what holds on paths of the model only, and labels that no example has."""
    spec, data = plan.spec, plan.info.data
    if spec.paths_from == "model":
        return
    if data is None:
        reason = f"model {plan.info.name!r} was given no labelled data; start it with --data FOLDER"
        raise SpecError("paths_from", spec.paths_from, reason)
    if spec.guidance is not None:
        reason = "data paths are not guided: the data move them, not the model"
        raise SpecError("guidance", spec.guidance.model_dump(), reason)
    if spec.prune_below:
        reason = "must be 0 on data paths: the bound of pruning holds on paths of the model only"
        raise SpecError("prune_below", spec.prune_below, reason)
    if spec.complement != "classes":
        reason = "must be 'classes' on data paths: their labels are those of the data"
        raise SpecError("complement", spec.complement, reason)
    missing = [plan.labels[c] for c in plan.columns if data.per_label and not data.per_label[c]]
    if missing:
        reason = f"the data have no example of {missing[0]!r}; leave it out of the partitions"
        raise SpecError("partitions", list(spec.partitions), reason)


def spec_hash(spec: Spec, weights_hash: str | None = None, data: DataInfo | None = None) -> str:
    """Return the identity of a resolved spec: the same hash, the same numbers (previews aside)."""
    document = spec.document()
    del document["previews"]
    inputs = [weights_hash]
    if spec.paths_from == "data" and data is not None:
        inputs.append(data.checksum)
    text = json.dumps([document, *inputs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Plan:
    """What a resolved spec means for its model.

    Attributes:
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
        self.spec, self.info, self.labels = spec, info, bound.labels
        curves = curves_of(spec.partitions, bound.labels)
        used = sorted({label for curve in curves for group in curve.groups for label in group})
        weights = _weights(spec, bound)
        self.columns: NDArray[np.int64] = np.array(used, dtype=np.int64)
        self.prior: Array = weights[self.columns] / weights[self.columns].sum()
        place = {label: column for column, label in enumerate(used)}
        self.curves: tuple[Curve, ...] = tuple(curve.renumbered(place) for curve in curves)

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
    def batches(self) -> tuple[tuple[int, int], ...]:
        sizes = self.spec.batch_sizes or BatchPlan.of(self.info.batch_sizes)
        return batch_layout(self.spec.trajectories, sizes)

    @property
    def num_truths(self) -> int:
        """True labels that a curve tells apart: the run's and "the rest", or two where it can."""
        return 2 if has_sides(self.spec) else len(self.columns) + is_paired(self.spec)

    @property
    def evaluations(self) -> int:
        """Pairs (sample, label, sigma) of the whole run, at most."""
        main = self.spec.trajectories * len(self.sigmas) * self.labels_evaluated
        return main + self.study_evaluations + preview_evaluations(self)

    @property
    def work(self) -> float:
        """The same in pairs of the model as it is offered: what its rate is counted in."""
        return self.evaluations * pair_cost(self.info, self.spec.params)

    @property
    def study_evaluations(self) -> int:
        """Pairs of the studies alone."""
        return study_evaluations(self.spec.studies, self.sigmas, len(self.columns))

    @property
    def labels_evaluated(self) -> int:
        """Labels of one sample that are evaluated at one noise level, "no label" among them."""
        if is_paired(self.spec):
            return pair_evaluations(self.spec)
        return len(self.columns) + (self.spec.guidance is not None)


def batch_layout(trajectories: int, sizes: BatchPlan) -> tuple[tuple[int, int], ...]:
    """Return (first trajectory, size) of each batch: doubling from `first` up to `largest`."""
    batches, start, size = [], 0, sizes.first
    while start < trajectories:
        batches.append((start, min(size, trajectories - start)))
        start, size = start + size, min(2 * size, sizes.largest)
    return tuple(batches)


def _weights(spec: Spec, bound: Bound) -> Array:
    if spec.prior == "model":
        return bound.prior
    if spec.prior == "uniform":
        return np.ones(len(bound.labels))
    weights = np.zeros(len(bound.labels))
    for label, weight in spec.prior.items():
        weights[find_label(label, bound.labels, "prior")] = weight
    for curve in curves_of(spec.partitions, bound.labels):
        for group in curve.groups:
            if not weights[list(group)].sum() > 0:
                raise SpecError("prior", spec.prior, f"leaves a group of {curve.key!r} no weight")
    return weights
