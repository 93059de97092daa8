"""The studies of control in time that a run may be asked for, as sent; levels.py resolves them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entroscope.protocol.models import PositiveFloat

MAX_LEVELS = 64


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Branching(_Strict):
    """From one noise level on, the rest of some trajectories is sampled again without a label.

    Attributes:
        sigma: a noise level of the run.
        trajectories: how many of the run's, the first ones; None means 16, or all where fewer.
        repeats: how often each is continued.
        moved_by: `posterior`, labels drawn from the running posterior, anew at every step: the
            unlabelled mixture of the classes as the posterior has it; or `unconditional`, the
            model's own unconditional branch, which knows nothing of that posterior.
    """

    sigma: PositiveFloat
    trajectories: Annotated[int, Field(ge=1, le=256)] | None = None
    repeats: Annotated[int, Field(ge=2, le=1024)] = 64
    moved_by: Literal["posterior", "unconditional"] = "posterior"


class Switch(_Strict):
    """At each of some noise levels, the label of a copy is changed to another one.

    Attributes:
        sigmas: noise levels of the run.
        levels: how many instead, evenly over the run's steps; None means 8.
        trajectories: how many of the run's, the first ones; None means 64, or all where fewer.
    """

    sigmas: Annotated[list[PositiveFloat], Field(min_length=1, max_length=MAX_LEVELS)] | None = None
    levels: Annotated[int, Field(ge=1, le=MAX_LEVELS)] | None = None
    trajectories: Annotated[int, Field(ge=1, le=4096)] | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.sigmas is not None and self.levels is not None:
            raise ValueError(
                f"give sigmas or levels, not both; got {self.sigmas} and {self.levels}"
            )
        return self


class Studies(_Strict):
    """What a run studies besides its curves; commitment costs nothing and is always there."""

    branching: Branching | None = None
    switch: Switch | None = None
