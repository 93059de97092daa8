"""Runs and sweeps that are ready to be started: the studies of the papers."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from entroscope.protocol.models import ModelInfo
from entroscope.protocol.slugs import SLUG_PATTERN

Axis = Literal["sigma", "ln_sigma", "log_snr", "vp_time", "scaled_time"]


class RunPreset(BaseModel):
    """A run, or with `vary` a sweep, offered by name.

    Attributes:
        order: of the list, smallest first.
        source: the paper it is from; presets of one source stand together.
        model: what the model is called that it was written for.
        family, labels, unconditional: what another model needs to stand in for it; any number of
            labels where it is None, as with prompts.
        how_to_get: command lines that bring the model in.
        spec: as POST /api/runs takes it; with `vary`, as POST /api/sweeps does.
        axis: over which it is best seen.
        evaluations: what it costs, all runs together, in evaluations (sample, label, sigma).
        pair_cost: time of an evaluation over that of one of the model as it is offered.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Annotated[str, Field(pattern=SLUG_PATTERN, max_length=60)]
    title: str
    description: str
    order: int = 0
    source: str
    model: str
    family: str
    labels: int | None = None
    unconditional: bool = False
    how_to_get: tuple[str, ...] = ()
    spec: dict[str, Any]
    vary: tuple[dict[str, Any], ...] | None = None
    axis: Axis | None = None
    evaluations: int
    pair_cost: float = 1.0

    def fits(self, info: ModelInfo) -> bool:
        """Return whether a model can run it: the one it was written for, or its like."""
        able = info.unconditional or not self.unconditional
        counted = self.labels is None or len(info.labels) == self.labels
        return able and counted and (info.name == self.model or info.family == self.family)

    def on(self, model: str) -> Self:
        """Return the preset for the model of that name."""
        return self.model_copy(update={"spec": {**self.spec, "model": model}})
