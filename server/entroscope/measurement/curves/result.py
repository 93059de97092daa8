"""The result document of a run: curves, windows, checks and where they came from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.calibration import calibration_document
from entroscope.measurement.curves.checks import group_entropy, pruning_bound
from entroscope.measurement.curves.estimation.estimates import (
    Estimate,
    estimates,
    plain_step_error,
    resampled_production,
)
from entroscope.measurement.curves.exact import exact_curves
from entroscope.measurement.curves.floor import floor_document
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.moments import Moments, standard_error
from entroscope.measurement.curves.studies import studies_document
from entroscope.measurement.curves.windows import window, window_of_samples
from entroscope.measurement.plan.curves import Curve
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.frames import finite
from entroscope.protocol.quantities import COLUMNS, ENTROPY, PRODUCTION, SHOWN, UNKNOWN, Quantity

Array = NDArray[np.float64]


def result_document(fold: Fold, checks: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return what a run has measured so far, from its finished batches (there must be one).

    Args:
        checks: those of the same fold, where they are known already.
    """
    plan, merged, exact = fold.plan, fold.merged(), exact_curves(fold.plan)
    windows = [curve_window(fold, curve) for curve in plan.curves]
    document = {
        "schema": 1,
        "spec": plan.spec.document(),
        "unit": "bits",
        "labels": [plan.labels[column] for column in plan.columns],
        "sigma": plan.sigmas,
        "trajectories": fold.trajectories,
        "batches": len(fold.moments),
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


def curve_window(fold: Fold, curve: Curve) -> dict[str, Any]:
    """Return the window of a curve: of the best estimate, where there are companions to make it."""
    plan, moments = fold.plan, fold.merged()[curve.key]
    estimate = estimates(plan, curve, moments)[PRODUCTION]
    sums = moments.companions
    if sums is None or estimate.slopes is None or not sums.block.size:
        batches = [fold.moments[batch][curve.key] for batch in sorted(fold.moments)]
        return window(curve.key, plan.sigmas, batches)
    samples = resampled_production(plan, curve, moments, estimate)
    return window_of_samples(curve.key, plan, estimate, samples)


def curve_document(plan: Plan, curve: Curve, moments: Moments) -> dict[str, Any]:
    """Return one curve of the result.

    Its expectation is over the curve's own mixture: of the run's trajectories it counts the `n`
    whose label lies inside the decision, with the run's prior renormalised there.

    The plain means have `entropy_step_error` beside them; the combined are the best estimate, with
    all that may be left in them (estimates.py).
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
        **_combined(estimates(plan, curve, moments)),
        f"{ENTROPY.name}_step_error": plain_step_error(plan, moments),
        "pruning": _pruning(plan, curve, moments),
        "calibration": calibration_document(moments),
        "floor": _floor(plan, curve, moments),
        "profiles": _profiles(plan, curve, moments),
    }


def _combined(best: Mapping[Quantity, Estimate]) -> dict[str, Array]:
    """Return the best estimate of each of COMBINED, its noise and what else may be left in it."""
    arrays: dict[str, Array] = {}
    for quantity, estimate in best.items():
        arrays[f"{quantity.name}_combined"] = estimate.mean
        arrays[f"{quantity.name}_combined_se"] = estimate.error
        arrays[f"{quantity.name}_combined_step_error"] = estimate.step_error
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
            profile |= _corrected_profile(moments, position)
            profiles.append(profile)
    return profiles


def _corrected_profile(moments: Moments, label: int) -> dict[str, Any]:
    """Return a profile with the error of the steps removed, where companions measured it."""
    sums = moments.companions
    if sums is None or sums.label_n[label] < 2:
        return {}
    total, square = moments.profile[label], moments.profile_square[label]
    mean, error = sums.of_label(label).added_to(int(moments.n[label]), total, square)
    return {"entropy_combined": mean, "entropy_combined_se": error}


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
            if column.name not in curve and column.plain == UNKNOWN:
                continue
            values = curve[column.name if column.name in curve else column.plain]
            arrays[f"{key}:{column.name}"] = np.array(values, dtype=np.float64)
    return arrays
