"""The result document of a run: curves, windows, checks and where they came from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.calibration import calibration_document, step_error
from entroscope.measurement.curves.checks import group_entropy, left_out, pruning_bound
from entroscope.measurement.curves.control_variates import combined
from entroscope.measurement.curves.exact import exact_curves
from entroscope.measurement.curves.floor import floor_document
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.moments import Moments, standard_error
from entroscope.measurement.curves.studies import studies_document
from entroscope.measurement.curves.windows import window
from entroscope.measurement.plan.complement import is_complement_run
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.frames import finite
from entroscope.protocol.quantities import COLUMNS, COMBINED, SHOWN

Array = NDArray[np.float64]


def result_document(fold: Fold, checks: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return what a run has measured so far, from its finished batches (there must be one).

    Args:
        checks: those of the same fold, where they are known already.
    """
    plan, merged, exact = fold.plan, fold.merged(), exact_curves(fold.plan)
    batches = [fold.moments[batch] for batch in sorted(fold.moments)]
    windows = [window(c.key, plan.sigmas, [batch[c.key] for batch in batches]) for c in plan.curves]
    document = {
        "schema": 1,
        "spec": plan.spec.document(),
        "unit": "bits",
        "labels": [plan.labels[column] for column in plan.columns],
        "sigma": plan.sigmas,
        "trajectories": fold.trajectories,
        "batches": len(batches),
        "curves": {
            c.key: {**curve_document(plan, c, merged[c.key]), "exact": exact[c.key]}
            for c in plan.curves
        },
        "windows": windows,
        "checks": fold.checks() if checks is None else checks,
        "studies": studies_document(plan, fold.studies(), windows),
        "provenance": _provenance(list(fold.facts.values())),
    }
    finished: dict[str, Any] = finite(document)
    return finished


def curve_document(plan: Plan, curve: Curve, moments: Moments) -> dict[str, Any]:
    """Return one curve of the result.

    Its expectation is over the curve's own mixture: of the run's trajectories it counts the `n`
    whose label lies inside the decision, with the run's prior renormalised there.

    `entropy_step_error` is the size of M = H_k - H_0 + integral of production, less what its own
    standard error explains. M is 0 but for the error of the steps, which reaches the integral
    first and more strongly than the entropy (science.md, sections 3 and 4). On data paths, where
    M is not 0, it is what the half-path corrects.
    """
    arrays: dict[str, Any] = {}
    for name in (quantity.name for quantity in SHOWN):
        arrays[name] = moments.mean(name)
        arrays[f"{name}_se"] = moments.error(name)
    return {
        "partition": curve.partition,
        "path": list(curve.path),
        "title": curve.title,
        "groups": list(curve.names),
        "bound": group_entropy(plan, curve),
        "n": moments.count,
        **arrays,
        **_combined(plan, curve, moments),
        "entropy_step_error": _step_error(plan, moments),
        "pruning": _pruning(plan, curve, moments),
        "calibration": calibration_document(moments),
        "floor": _floor(plan, curve, moments),
        "profiles": _profiles(plan, curve, moments),
    }


def _step_error(plan: Plan, moments: Moments) -> NDArray[np.float64]:
    if plan.spec.paths_from == "data":
        return step_error(moments)
    missed, noise = moments.mean("missed"), np.nan_to_num(moments.error("missed"))
    return np.sqrt(np.maximum(missed**2 - noise**2, 0))


def _combined(plan: Plan, curve: Curve, moments: Moments) -> dict[str, Array]:
    """Return each of COMBINED after regression on its control variates.

    Where M has no reason to be 0 there are none, and they are the plain means; so in complement
    runs, whose sides are not labels of the prior.
    """
    uncontrolled = is_complement_run(plan.spec) or "production_integral" in left_out(plan)
    inside = np.zeros(len(plan.prior))
    for group in curve.groups:
        inside[list(group)] = plan.prior[list(group)]
    arrays = {}
    for name in (quantity.name for quantity in COMBINED):
        if uncontrolled:
            arrays[f"{name}_combined"] = moments.mean(name)
            arrays[f"{name}_combined_se"] = moments.error(name)
            continue
        regressed = combined(moments, name, inside / inside.sum())
        arrays[f"{name}_combined"] = regressed.mean
        arrays[f"{name}_combined_se"] = regressed.error
    return arrays


def _pruning(plan: Plan, curve: Curve, moments: Moments) -> dict[str, Any] | None:
    """Return the mass that was pruned and by how much H may be off for it, or None."""
    if not plan.spec.prune_below:
        return None
    return {"dropped": moments.mean("dropped"), "entropy_bound": pruning_bound(curve, moments)}


def _floor(plan: Plan, curve: Curve, moments: Moments) -> dict[str, Any] | None:
    entropy, error = (float(of("entropy")[-1]) for of in (moments.mean, moments.error))
    prior = float(plan.complement_priors[curve.groups[0][0]])
    return floor_document(plan, curve, entropy, error, prior)


def _profiles(plan: Plan, curve: Curve, moments: Moments) -> list[dict[str, Any]]:
    """Return E[h | z] of every true class."""
    profiles = []
    for position, label in enumerate(plan.truth_names(curve)):
        n = int(moments.n[position])
        total, square = moments.profile[position], moments.profile_square[position]
        profile: dict[str, Any] = {"label": label, "n": n}
        if n:
            profile["entropy"] = total / n
            profile["entropy_se"] = standard_error(n, total, square)
            profiles.append(profile)
    return profiles


def _provenance(facts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "versions": _one(facts, "versions"),
        "weights_hash": _one(facts, "weights_hash"),
        "data": _one(facts, "data"),
        "device": _one(facts, "device"),
        "evaluations": sum(int(f["evaluations"]) for f in facts),
        "evaluations_full": sum(int(f["evaluations_full"]) for f in facts),
        "seconds": sum(float(f["seconds"]) for f in facts),
        "micro_batches": max(int(f.get("micro_batches", 1)) for f in facts),
    }


def _one(facts: list[dict[str, Any]], name: str) -> Any:
    """Return the value all batches agree on, or the list of those they have."""
    values = [f.get(name) for f in facts]
    distinct = [v for i, v in enumerate(values) if v not in values[:i]]
    return distinct[0] if len(distinct) == 1 else distinct


def curve_arrays(document: Mapping[str, Any]) -> dict[str, Array]:
    """Return the COLUMNS of a result by "KEY:name", None as NaN, for npz files and frames."""
    arrays = {"sigma": np.array(document["sigma"], dtype=np.float64)}
    for key, curve in document["curves"].items():
        for column in COLUMNS:
            values = curve[column.name if column.name in curve else column.plain]
            arrays[f"{key}:{column.name}"] = np.array(values, dtype=np.float64)
    return arrays
