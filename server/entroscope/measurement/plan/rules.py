"""What a plan must keep: which fields go together, and what a model can do."""

import numpy as np

from entroscope.measurement.plan.complement import FEWEST, is_complement_run
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError
from entroscope.protocol.partitions import is_each_vs_rest
from entroscope.protocol.spec import Spec


def check_plan(plan: Plan) -> None:
    """Check a plan whose studies are not resolved yet.

    Raises:
        SpecError: the model cannot run it, or two of its fields do not go together.
    """
    _check_guidance(plan)
    _check_pruning(plan)
    _check_paths(plan)
    _check_complement(plan)
    _check_studies(plan.spec)


def _check_guidance(plan: Plan) -> None:
    """Refuse guidance that the model has no branch for, or that no level would have."""
    guidance = plan.spec.guidance
    if guidance is None:
        return
    if not plan.info.unconditional:
        reason = f"model {plan.info.name!r} has no unconditional branch to guide away from"
        raise SpecError("guidance", guidance.model_dump(), reason)
    if guidance.interval is None:
        return
    low, high = guidance.interval
    if not ((plan.sigmas > low) & (plan.sigmas <= high)).any():
        raise SpecError(
            "guidance.interval",
            guidance.interval,
            f"no noise level of the run lies in it; they go from {plan.sigmas[-1]:g} to "
            f"{plan.sigmas[0]:g}",
        )


def _check_pruning(plan: Plan) -> None:
    """Refuse pruning where dropped classes would have no bound, or be there from the start."""
    prune_below, guidance = plan.spec.prune_below, plan.spec.guidance
    if prune_below and guidance is not None and guidance.decoder == "model":
        reason = "must be 0 where the posterior of guided paths is scored with the model: it is "
        reason += "no martingale, and what was dropped has no bound"
        raise SpecError("prune_below", prune_below, reason)
    least = int(np.argmin(plan.prior))
    if prune_below and not prune_below < plan.prior[least]:
        label = plan.labels[plan.columns[least]]
        reason = f"must be below the prior of every label; {label!r} has {plan.prior[least]:.3g}"
        raise SpecError("prune_below", prune_below, reason)


def _check_studies(spec: Spec) -> None:
    """Refuse studies where the posterior of every class along paths of the model is not at hand."""
    asked = spec.studies.branching or spec.studies.switch
    if asked is None:
        return
    if spec.paths_from == "data":
        reason = "needs paths of the model: data cannot be sampled again from their middle"
        raise SpecError("studies", spec.studies.model_dump(), reason)
    if is_complement_run(spec):
        reason = "needs complement 'classes': complement runs know the posterior of one class only"
        raise SpecError("studies", spec.studies.model_dump(), reason)


def _check_paths(plan: Plan) -> None:
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
    if spec.companions:
        reason = "must be 0 on data paths: the half-path corrects them at no evaluation"
        raise SpecError("companions", spec.companions, reason)
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


def _check_complement(plan: Plan) -> None:
    """Refuse a complement that the model lacks, or fields that do not go with one."""
    spec, info = plan.spec, plan.info
    if not is_complement_run(spec):
        _check_unused(spec)
        return
    if not info.unconditional:
        reason = f"model {info.name!r} has no unconditional branch; use 'classes'"
        raise SpecError("complement", spec.complement, reason)
    for name, partition in spec.partitions.items():
        if not is_each_vs_rest(partition):
            reason = f"must be 'each-vs-rest' in a run with complement {spec.complement!r}"
            raise SpecError(f"partitions.{name}", spec.document()["partitions"][name], reason)
    frequencies = plan.bound.prior / plan.bound.prior.sum()
    if len(frequencies) != len(plan.prior) or not np.allclose(frequencies, plan.prior):
        reason = "must be 'model': the unconditional branch knows no other"
        raise SpecError("prior", spec.prior, reason)
    classes = len(plan.complement_classes)
    fewest = FEWEST * classes
    if spec.trajectories < fewest:
        reason = f"must be at least {fewest}, {FEWEST} for each of {classes} classes"
        raise SpecError("trajectories", spec.trajectories, reason)
    _check_company(spec)


def _check_unused(spec: Spec) -> None:
    for field in ("complement_paths", "pair_prior"):
        if (value := getattr(spec, field)) is not None:
            raise SpecError(field, value, "is for complement 'rebuilt' or 'unconditional' only")


def _check_company(spec: Spec) -> None:
    if spec.guidance is not None:
        reason = f"does not go with complement {spec.complement!r}; use 'classes'"
        raise SpecError("guidance", spec.guidance.model_dump(), reason)
    if spec.prune_below:
        reason = f"nothing to prune with complement {spec.complement!r}; must be 0"
        raise SpecError("prune_below", spec.prune_below, reason)
