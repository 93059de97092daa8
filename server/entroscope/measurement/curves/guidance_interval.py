"""From a measured window to a guidance interval, and to the spec of the run that uses it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Guidance, Spec
from entroscope.protocol.studies_spec import Studies

Array = NDArray[np.float64]

DIGITS = 6


def suggested_interval(sigmas: Array, window: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the central share of the information, snapped to the steps of a run.

    The steps from one of its levels to a lower one are guided, and cover what lies between the two:
    those nearest to the ends of the window. Either is rounded up, so that (low, high] means the
    same steps wherever the levels are computed anew, to their last bit or not.

    Args:
        sigmas: (steps,), decreasing.
    """
    low, high = window["sigma_low"], window["sigma_high"]
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    logs = np.log(sigmas)
    first = min(int(np.argmin(np.abs(logs - math.log(high)))), len(sigmas) - 2)
    end = max(int(np.argmin(np.abs(logs - math.log(low)))), first + 1)
    return {
        "curve": window["curve"],
        "share": window["share"],
        "interval": [_rounded_up(sigmas[end]), _rounded_up(sigmas[first])],
        "steps": [first, end - 1],
    }


def guided_spec(result: Mapping[str, Any], scale: float = 2.0, **guidance: Any) -> dict[str, Any]:
    """Return the spec of a result's run, guided inside the interval that the result suggests.

    Args:
        guidance: other fields of `guidance` ("method", "decoder", "max_scale").
    Raises:
        SpecError: the result suggests no interval.
    """
    suggested = result["studies"].get("suggested_interval")
    if suggested is None:
        reason = "the result suggests none: its run was guided, or nothing was decided on its grid"
        raise SpecError("guidance.interval", None, reason)
    asked = Guidance(scale=scale, interval=suggested["interval"], **guidance)
    spec = Spec.model_validate(result["spec"])
    return spec.model_copy(update={"guidance": asked, "studies": Studies()}).document()


def _rounded_up(value: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) + 1 - DIGITS)
    return float(f"{math.ceil(value / unit) * unit:.{DIGITS}g}")
