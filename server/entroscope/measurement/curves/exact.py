"""Exact curves of the runs whose answer is known."""

from entroscope.measurement.params.bound import ExactCurve
from entroscope.measurement.plan.plan import Plan


def exact_curves(plan: Plan) -> dict[str, ExactCurve | None]:
    """Return {sigma, entropy, production} of each curve by key, None where no answer is known.

    In bits, production per unit of ln sigma, over levels of their own, highest first. Guided paths
    and rough complements measure something else, for which there is no exact answer here.
    """
    keys = [curve.key for curve in plan.curves]
    if plan.spec.guidance or plan.spec.complement != "classes":
        return dict.fromkeys(keys)
    curves = plan.bound.exact(
        tuple(plan.columns.tolist()),
        tuple(plan.prior.tolist()),
        tuple(curve.groups for curve in plan.curves),
        (float(plan.sigmas[0]), float(plan.sigmas[-1])),
    )
    return dict(zip(keys, curves, strict=True))
