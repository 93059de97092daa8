"""What a user asks for: the run spec, checked strictly. Resolved against a model in plan.py."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from entroscope.protocol.models import BatchSizes, PositiveFloat
from entroscope.protocol.partitions import Partition
from entroscope.protocol.studies_spec import Studies

NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
MAX_STEPS = 8192
MAX_TRAJECTORIES = 1_000_000
MAX_PREVIEWS = 64
#: Pairs (sample, label, sigma) of one run, or of one sweep, unless a server is told otherwise.
MAX_EVALUATIONS = 500_000_000

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Sigma = Annotated[PositiveFloat, Field(ge=1e-8, le=1e8)]


class Schedule(_Strict):
    """The noise levels: by rule (EDM, eq. 5), or one by one.

    What a rule leaves out comes from the model.

    Attributes:
        sigmas: the levels themselves, highest first, instead of a rule.
    """

    steps: Annotated[int, Field(ge=2, le=MAX_STEPS)] | None = None
    sigma_max: Annotated[PositiveFloat, Field(le=1e8)] | None = None
    sigma_min: Annotated[PositiveFloat, Field(ge=1e-8)] | None = None
    rho: Annotated[PositiveFloat, Field(ge=0.1, le=100)] | None = None
    sigmas: Annotated[list[Sigma], Field(min_length=2, max_length=MAX_STEPS)] | None = None

    @model_serializer(mode="wrap")
    def _one_way(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the levels or the rule, never both: specs by rule stay as they always were."""
        written: dict[str, Any] = plain(self)
        by_rule = self.sigmas is None
        return {name: value for name, value in written.items() if (name in RULE) == by_rule}

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if self.sigmas is None:
            return self
        if given := [name for name in RULE if getattr(self, name) is not None]:
            raise ValueError(f"sigmas are all levels, and exclude {', '.join(given)}")
        for index, (above, below) in enumerate(pairwise(self.sigmas)):
            if below >= above:
                raise ValueError(
                    f"sigmas must fall, got {above!r} and then {below!r} at {index} and {index + 1}"
                )
        return self

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.sigma_min and self.sigma_max and self.sigma_min >= self.sigma_max:
            raise ValueError(
                f"sigma_min must be < sigma_max, got {self.sigma_min:g} and {self.sigma_max:g}"
            )
        return self


#: Fields of a schedule by rule.
RULE = ("steps", "sigma_max", "sigma_min", "rho")


#: Which previews of a model of latents are decoded in full; the others are a cheap glimpse.
Decode = Literal["never", "last", "all"]


class Previews(_Strict):
    """Which pictures to send; they never change a number.

    Attributes:
        paired: whether labels share their noise, in extra trajectories; the model's choice if None.
    """

    samples: Annotated[int, Field(ge=0, le=MAX_PREVIEWS)] = 16
    decode: Decode = "last"
    paired: bool | None = None


class Guidance(_Strict):
    """Classifier-free guidance of the paths (science.md, section 7).

    Attributes:
        scale: w of D_u + w (D_c - D_u), 1 is unguided; for `feedback` the scale of a sample whose
            class is as likely as before it was looked at.
        interval: noise levels (low, high] that are guided; None means all.
        method: `cfg`, the same scale for every sample, or `feedback`, the scale that follows from
            the sample's own posterior (Koulischer et al. 2025, arXiv 2506.06085).
        decoder: kernels the posterior is read with: the `model`'s own or the `guided` ones.
        max_scale: bound of the scale of `feedback`.
    """

    scale: Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
    interval: Annotated[list[NonNegativeFloat], Field(min_length=2, max_length=2)] | None = None
    method: Literal["cfg", "feedback"] = "cfg"
    decoder: Literal["model", "guided"] = "model"
    max_scale: Annotated[float, Field(allow_inf_nan=False, ge=1, le=100)] = 10.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.interval is not None and self.interval[0] >= self.interval[1]:
            low, high = self.interval
            raise ValueError(f"the interval must rise, got {low:g} to {high:g}")
        if self.method == "feedback" and not 1 <= self.scale <= self.max_scale:
            raise ValueError(
                f"feedback needs 1 <= scale <= max_scale, got {self.scale:g} and {self.max_scale:g}"
            )
        return self


#: What a class is scored against in each-vs-rest (science.md, section 5): the other classes, the
#: complement rebuilt from the unconditional branch and the class, or that branch itself.
Complement = Literal["classes", "rebuilt", "unconditional"]
#: What moves the paths of the complement; where it is left out, what they are scored with.
ComplementPaths = Literal["rebuilt", "random-class", "unconditional"]
#: Probability of the class in its pair: half where it is left out, "prior" for its own prior.
PairPrior = Literal["prior"] | Annotated[float, Field(gt=0, lt=1)]


class BatchPlan(_Strict):
    """Trajectories of the first batch and of the largest; what is left out comes from the model."""

    first: Annotated[int, Field(ge=1, le=4096)]
    largest: Annotated[int, Field(ge=1, le=4096)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first > self.largest:
            raise ValueError(f"first must be <= largest, got {self.first} and {self.largest}")
        return self

    @classmethod
    def of(cls, sizes: BatchSizes) -> Self:
        return cls(first=sizes.first, largest=sizes.largest)


class Spec(_Strict):
    """One run, as sent. `resolve` in plan.py fills what is left out; the result is immutable."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    model: Annotated[str, Field(min_length=1, max_length=100)]
    params: dict[str, Any] = {}
    partitions: Annotated[dict[str, Partition], Field(min_length=1, max_length=64)] = {
        "classes": None
    }
    prior: Literal["model", "uniform"] | dict[str, PositiveFloat] = "model"
    schedule: Schedule = Schedule()
    trajectories: Annotated[int, Field(ge=2, le=MAX_TRAJECTORIES)] = 256
    target_se_bits: Annotated[PositiveFloat, Field(ge=1e-5)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    batch_sizes: BatchPlan | None = None
    guidance: Guidance | None = None
    paths_from: Literal["model", "data"] = "model"
    prune_below: Annotated[float, Field(ge=0, le=0.1)] = 0
    complement: Complement = "classes"
    complement_paths: ComplementPaths | None = None
    pair_prior: PairPrior | None = None
    studies: Studies = Studies()
    previews: Previews | None = Previews()

    @field_validator("partitions")
    @classmethod
    def _slugs(cls, partitions: dict[str, Partition]) -> dict[str, Partition]:
        for name in partitions:
            if len(name) > 60 or not SLUG.fullmatch(name):
                raise ValueError(
                    f"a partition's name has lower-case letters, digits and hyphens, got {name!r}"
                )
        return partitions

    def document(self) -> dict[str, Any]:
        """Return the spec as the JSON document of the wire."""
        return self.model_dump(mode="json", by_alias=True)
