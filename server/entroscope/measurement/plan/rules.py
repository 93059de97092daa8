"""What guidance and pruning need of a plan."""

from typing import TYPE_CHECKING

import numpy as np

from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Guidance

if TYPE_CHECKING:
    from entroscope.measurement.plan.plan import Plan


def check_guidance(guidance: Guidance | None, plan: "Plan") -> None:
    """Raise a SpecError where the model cannot be guided so, or no level would be."""
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


def check_pruning(prune_below: float, plan: "Plan") -> None:
    """Raise a SpecError where dropped classes would have no bound, or be there from the start."""
    guidance = plan.spec.guidance
    if prune_below and guidance is not None and guidance.decoder == "model":
        reason = "must be 0 where guided paths are read with the model's own kernels: their "
        reason += "posterior is no martingale, and what was dropped has no bound"
        raise SpecError("prune_below", prune_below, reason)
    least = int(np.argmin(plan.prior))
    if prune_below and not prune_below < plan.prior[least]:
        label = plan.labels[plan.columns[least]]
        reason = f"must be below the prior of every label; {label!r} has {plan.prior[least]:.3g}"
        raise SpecError("prune_below", prune_below, reason)
