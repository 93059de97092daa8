"""The studies of a run as they stand in its result, and their checks."""

from collections.abc import Mapping, Sequence
from typing import Any

from entroscope.measurement.curves.branching import CHECK, branching_document
from entroscope.measurement.curves.checks import STANDARD_ERRORS, check
from entroscope.measurement.curves.commitment import commitment_curve, commitment_document
from entroscope.measurement.curves.guidance_interval import suggested_interval
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.curves.switch import switch_document
from entroscope.measurement.plan.plan import Plan


def studies_document(
    plan: Plan, arrays: StudyArrays, windows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return every study there is; what was not asked for, or cannot be had, is left out.

    Args:
        windows: of every curve.
    """
    curve = commitment_curve(plan.curves) or plan.curves[0]
    (window,) = (each for each in windows if each["curve"] == curve.key)
    guided = plan.spec.guidance is not None
    studies = {
        "suggested_interval": None if guided else suggested_interval(plan.sigmas, window),
        "commitment": commitment_document(plan, arrays),
        "branching": branching_document(plan, arrays),
        "switch": switch_document(plan, arrays, window),
    }
    return {name: study for name, study in studies.items() if study is not None}


def study_checks(plan: Plan, arrays: StudyArrays) -> list[dict[str, Any]]:
    """Return the checks of the studies that a run was asked for."""
    branching = branching_document(plan, arrays)
    asked = plan.spec.studies.branching
    if branching is None or asked is None or asked.moved_by != "posterior":
        return []
    calibration = branching["calibration"]
    return [check(CHECK, "studies", calibration["largest_z"], STANDARD_ERRORS)]
