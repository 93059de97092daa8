"""Params of the exact Gaussian mixtures (mixtures/params.py has their fields)."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from entroscope.measurement.mixtures.cost import relative_cost
from entroscope.measurement.mixtures.exact import exact_curves
from entroscope.measurement.mixtures.params import (
    AnyParams,
    mixture_params,
    mixture_schedule,
    mixture_schema,
)
from entroscope.measurement.params.bound import Bound
from entroscope.protocol.errors import SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Partition
from entroscope.protocol.validation import document_errors


def bind(info: ModelInfo, params: Mapping[str, Any], partitions: Mapping[str, Partition]) -> Bound:
    """Check the params of a mixture, which decide its labels, prior and noise levels."""
    checked = _checked(dict(params))
    filled = checked.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Bound(
        params=filled,
        labels=checked.labels(),
        prior=checked.weights(),
        schedule=partial(mixture_schedule, checked),
        presets=checked.presets(),
        cost=partial(relative_cost, checked),
        exact=partial(exact_curves, json.dumps(filled, sort_keys=True)),
    )


def _checked(params: dict[str, Any]) -> AnyParams:
    try:
        return mixture_params(params)
    except ValidationError as error:
        first = document_errors(error, params, mixture_schema())[0]
        path = "params" if first.field == "document" else f"params.{first.field}"
        raise SpecError(path, first.value, first.reason) from None
