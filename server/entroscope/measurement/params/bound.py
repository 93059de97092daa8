"""A model with the params of a run: what they decide, whatever their kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.models import ModelInfo, ScheduleDefaults
from entroscope.protocol.partitions import Partition, Preset

Array = NDArray[np.float64]
Groups = tuple[tuple[int, ...], ...]
ExactCurve = dict[str, list[float]]


class ExactCurves(Protocol):
    """The exact curves of decisions, where params have them."""

    def __call__(
        self,
        columns: tuple[int, ...],
        prior: tuple[float, ...],
        decisions: tuple[Groups, ...],
        ends: tuple[float, float],
    ) -> tuple[ExactCurve | None, ...]:
        """Return {sigma, entropy, production} of each decision, None where it is not known.

        Args:
            columns: labels of the run, as indices; `prior` is theirs and sums to 1.
            decisions: groups of each decision, of positions in `columns`.
            ends: highest and lowest noise level.
        Returns:
            in bits, production per unit of ln sigma, highest noise level first.
        """
        ...


def no_exact_curves(
    columns: tuple[int, ...],
    prior: tuple[float, ...],
    decisions: tuple[Groups, ...],
    ends: tuple[float, float],
) -> tuple[ExactCurve | None, ...]:
    """Return None for every decision."""
    return (None,) * len(decisions)


def unit_cost() -> float:
    """Return the cost of an evaluation where params do not change it."""
    return 1.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A model with a run's params.

    Schedule, cost and exact curves are worked out only when asked for: those of a large mixture
    need all of its means.

    Attributes:
        params: checked, with every default filled in; equal settings are equal here.
        labels: name of each label.
        prior: (labels,), training frequencies, summing to 1; uniform where unknown.
        schedule: the noise levels where a spec names none.
        presets: partitions worth measuring.
        cost: time of an evaluation over that of one with the default params.
        exact: the curves of decisions, where they are known.
        paired_previews: whether previews are twins where a spec does not say.
    """

    params: dict[str, Any]
    labels: tuple[str, ...]
    prior: Array
    schedule: Callable[[], ScheduleDefaults]
    presets: tuple[Preset, ...] = ()
    cost: Callable[[], float] = unit_cost
    exact: ExactCurves = no_exact_curves
    paired_previews: bool = False


class Kind(Protocol):
    """One kind of params."""

    def __call__(
        self, info: ModelInfo, params: Mapping[str, Any], partitions: Mapping[str, Partition]
    ) -> Bound:
        """Check params and return what they decide.

        Args:
            partitions: those of the spec, which may name labels that the params leave out.
        Raises:
            SpecError: a parameter is unknown or out of range.
        """
        ...


def announced_prior(info: ModelInfo, labels: tuple[str, ...]) -> Array:
    """Return the training frequency of each label as the model announces it, (labels,)."""
    if info.prior is not None:
        return np.array(info.prior, dtype=np.float64)
    return np.full(len(labels), 1 / max(1, len(labels)))
