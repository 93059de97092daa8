"""A model with the params of a run: what they decide."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from entroscope.measurement.mixtures.params import mixture_params, mixture_schedule
from entroscope.measurement.plan.prompts import prompts_of
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo, ScheduleDefaults
from entroscope.protocol.partitions import Preset

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
