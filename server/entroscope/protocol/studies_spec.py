"""The studies of control in time that a run may be asked for, as sent."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from entroscope.protocol.models import PositiveFloat
from entroscope.protocol.strict import Strict

MAX_LEVELS = 64


class Branching(Strict):
    """From one noise level on, the rest of some trajectories is sampled again without a label."""

    sigma: PositiveFloat
    """Noise level of the run, in units of the data, from which trajectories are sampled again."""

    trajectories: Annotated[int, Field(ge=1, le=256)] | None = None
    """How many trajectories are sampled again, the first of the run; 16, or all where there are
    fewer, where left out."""

    repeats: Annotated[int, Field(ge=2, le=1024)] = 64
    """How often each of them is continued from that noise level to the end, with new noise. More of
    them make the frequency of each label at the end more precise."""

    moved_by: Literal["posterior", "unconditional"] = "posterior"
    """What moves the continuations: posterior, a label drawn from the running posterior anew at
    every step, or unconditional, the model's unconditional branch, which does not know that
    posterior."""


class Switch(Strict):
    """At each of some noise levels, the label of a copy is changed to another one."""

    sigmas: Annotated[list[PositiveFloat], Field(min_length=1, max_length=MAX_LEVELS)] | None = None
    """Noise levels of the run, in units of the data, at which a copy of each trajectory has its
    label changed."""

    levels: Annotated[int, Field(ge=1, le=MAX_LEVELS)] | None = None
    """How many noise levels instead of sigmas, evenly over the steps of the run; 8 where both are
    left out."""

    trajectories: Annotated[int, Field(ge=1, le=4096)] | None = None
    """How many trajectories are copied at each level, the first of the run; 64, or all where there
    are fewer, where left out."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.sigmas is not None and self.levels is not None:
            raise ValueError(
                f"give sigmas or levels, not both; got {self.sigmas} and {self.levels}"
            )
        return self


class Studies(Strict):
    """What a run studies besides its curves; commitment costs nothing and is always there."""

    branching: Branching | None = None
    """Whether samples end where their posterior says: from one noise level on, the rest of some
    trajectories is sampled many times without their label. Not done where left out."""

    switch: Switch | None = None
    """Until when a label can be changed: at some noise levels, copies of trajectories go on with
    another label, and which of the two they end with is counted. Not done where left out."""
