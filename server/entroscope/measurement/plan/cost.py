"""How long a pair takes with a run's params, in pairs of the model as it is offered."""

from typing import Any

from entroscope.measurement.mixtures.params import AnyParams, Points, mixture_params
from entroscope.protocol.models import ModelInfo

#: Seconds of a trajectory at one noise level of a mixture, fitted to runs of 2 to 1000 components
#: in 1 to 10000 dimensions on one core: in any case, a component, a coordinate of the noise, and a
#: coordinate of a component. Only their ratios count.
STEP_S, COMPONENT_S, COORDINATE_S, BOTH_S = 4.7e-6, 0.1e-6, 23e-9, 4.4e-9


def pair_cost(info: ModelInfo, params: dict[str, Any]) -> float:
    """Return the time of a pair (sample, label, sigma) over that with the default params.

    Workers probe a model as it is offered; this makes their rate one of the params at hand.
    """
    if info.family != "gaussian-mixture":
        return 1.0
    return _mixture_s(mixture_params(params)) / _mixture_s(mixture_params({}))


def _mixture_s(params: AnyParams) -> float:
    dimension = len(params.means_[0]) if isinstance(params, Points) else params.dimension
    components = len(params.labels())
    step = STEP_S + dimension * COORDINATE_S
    return step / components + COMPONENT_S + dimension * BOTH_S
