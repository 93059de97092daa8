"""A model bound to the params of a run, by the kind of its params."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from entroscope.measurement.params import mixture, plain, prompts
from entroscope.measurement.params.bound import Bound, Kind
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Partition

#: The kinds of params the server can compute with; any other is checked by its schema alone.
KINDS: Mapping[str, Kind] = {"mixture": mixture.bind, "prompts": prompts.bind}
NONE: Mapping[str, Partition] = MappingProxyType({})


def bind_params(
    info: ModelInfo, params: Mapping[str, Any], partitions: Mapping[str, Partition] = NONE
) -> Bound:
    """Check params against the model and return what they decide.

    Args:
        partitions: those of the spec; prompts that only they name become params.
    Raises:
        SpecError: a parameter is unknown or out of range.
    """
    return KINDS.get(info.params_kind or "", plain.bind)(info, params, partitions)
