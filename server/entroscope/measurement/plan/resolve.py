"""From a spec as sent to a plan: what it leaves to the model is filled in, the rest is checked."""

from collections.abc import Mapping
from typing import Any

from entroscope.measurement.params.bound import Bound
from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.companions import companions_of
from entroscope.measurement.plan.complement import fill_complement
from entroscope.measurement.plan.paired_previews import fill_previews
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.rules import check_plan
from entroscope.measurement.plan.study_levels import Mode, resolved_studies
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import HIGHEST_SIGMA, LOWEST_SIGMA, RULE, BatchPlan, Schedule, Spec


def resolve(spec: Spec, info: ModelInfo) -> Plan:
    """Return the plan of a spec with everything that it leaves to the model filled in.

    Raises:
        SpecError: the model cannot run it.
    """
    bound = bind_params(info, spec.params, spec.partitions)
    sizes = spec.batch_sizes or BatchPlan.of(info.batch_sizes)
    schedule = _resolved_schedule(spec.schedule, bound)
    filled = {"params": bound.params, "schedule": schedule, "batch_sizes": sizes}
    filled |= {"previews": fill_previews(spec, bound.paired_previews), **fill_complement(spec)}
    filled["companions"] = companions_of(spec)
    plan = Plan(spec.model_copy(update=filled), info)  # checks labels, partitions and prior
    check_plan(plan)
    mode = Mode(
        spec.trajectories, spec.guidance is not None, spec.prune_below > 0, info.unconditional
    )
    return plan.with_studies(resolved_studies(spec.studies, plan.sigmas, mode))


def _resolved_schedule(schedule: Schedule, bound: Bound) -> Schedule:
    if schedule.sigmas is not None:
        return schedule
    sent = schedule.model_dump(exclude_none=True)
    merged = sent if set(sent) == set(RULE) else bound.schedule().model_dump() | sent
    if merged["sigma_min"] >= merged["sigma_max"]:
        field = "sigma_max" if "sigma_max" in sent else "sigma_min"
        raise SpecError(
            f"schedule.{field}",
            merged[field],
            f"sigma_min must be < sigma_max, got {merged['sigma_min']:g} and "
            f"{merged['sigma_max']:g}",
        )
    _check_ends(merged, sent)
    return Schedule(**merged)


def _check_ends(merged: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """Refuse noise levels out of range that follow from params; those sent have been checked.

    Raises:
        SpecError: which end it is, its value and the bound.
    """
    for field in ("sigma_max", "sigma_min"):
        value, bound = merged[field], f">= {LOWEST_SIGMA:g}"
        if value > HIGHEST_SIGMA:
            bound = f"<= {HIGHEST_SIGMA:g}"
        elif value >= LOWEST_SIGMA:
            continue
        reason = f"must be {bound}; the default that follows from the params is {value:g}"
        raise SpecError(f"schedule.{field}", sent.get(field, value), reason)
