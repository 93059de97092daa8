"""How long an evaluation of a mixture takes, in evaluations of the default mixture."""

from entroscope.measurement.mixtures.params import AnyParams, Points

#: Seconds of a trajectory at one noise level of a mixture, fitted to runs of 2 to 1000 components
#: in 1 to 10000 dimensions on one core: in any case, a component, a coordinate of the noise, and a
#: coordinate of a component. Only their ratios count.
STEP_S, COMPONENT_S, COORDINATE_S, BOTH_S = 4.7e-6, 0.1e-6, 23e-9, 4.4e-9


def relative_cost(params: AnyParams) -> float:
    """Return the time of an evaluation over that of one of the default mixture.

    Workers probe a model as it is offered; this makes their rate one of the params at hand.
    """
    return _seconds(params) / _seconds(Points())


def _seconds(params: AnyParams) -> float:
    dimension = len(params.means_[0]) if isinstance(params, Points) else params.dimension
    components = len(params.labels())
    step = STEP_S + dimension * COORDINATE_S
    return step / components + COMPONENT_S + dimension * BOTH_S
