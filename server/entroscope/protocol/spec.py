"""What a user asks for: the run spec, checked strictly. Resolved against a model in plan.py."""

import re
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from entroscope.protocol.models import BatchSizes, PositiveFloat
from entroscope.protocol.partitions import Partition
from entroscope.protocol.strict import Strict
from entroscope.protocol.studies_spec import Studies

NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
MAX_STEPS = 8192
MAX_TRAJECTORIES = 1_000_000
MAX_PREVIEWS = 64
#: Evaluations (sample, label, sigma) of one run, or of one sweep; a server may have another limit.
MAX_EVALUATIONS = 500_000_000

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


#: Noise levels that a run may have, in units of the data.
LOWEST_SIGMA, HIGHEST_SIGMA = 1e-8, 1e8
Sigma = Annotated[PositiveFloat, Field(ge=LOWEST_SIGMA, le=HIGHEST_SIGMA)]


class Schedule(Strict):
    """The noise levels: by rule (EDM, eq. 5), or one by one.

    What a rule leaves out comes from the model.
    """

    steps: Annotated[int, Field(ge=2, le=MAX_STEPS)] | None = None
    """Number of noise levels; the model's default where left out. The error of the steps falls and
    the time of the run grows with it."""

    sigma_max: Annotated[PositiveFloat, Field(le=HIGHEST_SIGMA)] | None = None
    """Highest noise level, where sampling begins, in units of the data; the model's default where
    left out. It must lie above every decision, or the first part of the curve is missing."""

    sigma_min: Annotated[PositiveFloat, Field(ge=LOWEST_SIGMA)] | None = None
    """Lowest noise level, where sampling ends, in units of the data; the model's default where left
    out. What is decided below it is not measured."""

    rho: Annotated[PositiveFloat, Field(ge=0.1, le=100)] | None = None
    """Spacing of the noise levels, without unit: 1 spaces them evenly in sigma, larger values put
    more of them at low sigma. The model's default, usually 7 as in EDM, where left out."""

    sigmas: Annotated[list[Sigma], Field(min_length=2, max_length=MAX_STEPS)] | None = None
    """Every noise level, in units of the data, highest first, instead of steps, sigma_max,
    sigma_min and rho."""

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
        if rule := [name for name in RULE if getattr(self, name) is not None]:
            raise ValueError(f"sigmas are all levels, and exclude {', '.join(rule)}")
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


class Previews(Strict):
    """Which pictures to send; they never change a number."""

    samples: Annotated[int, Field(ge=0, le=MAX_PREVIEWS)] = 16
    """How many samples of the first batch have pictures."""

    decode: Decode = "last"
    """For models of latents, at which noise levels the decoder makes the pictures: at none, at the
    last, or at all. At the others they are a rough approximation that costs nothing."""

    paired: bool | None = None
    """Whether the pictures are twin previews: one noise sampled with each label, in extra
    trajectories that enter no curve. Where left out, they are for models of prompts, and other
    models show the samples that are measured."""


class Guidance(Strict):
    """Classifier-free guidance of the paths (guide: Guidance)."""

    scale: Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
    """Guidance scale w, without unit, of D_u + w (D_c - D_u), c the label of a sample and u none;
    1 is no guidance. With feedback, the scale of a sample whose posterior is its prior."""

    interval: Annotated[list[NonNegativeFloat], Field(min_length=2, max_length=2)] | None = None
    """Lower and upper end of the noise levels that are guided, low < sigma <= high, in units of the
    data; all levels where left out."""

    method: Literal["cfg", "feedback"] = "cfg"
    """cfg guides every sample with the same scale (classifier-free guidance); feedback lowers the
    scale of a sample as its posterior becomes sure (Koulischer et al. 2025, arXiv 2506.06085)."""

    decoder: Literal["model", "guided"] = "model"
    """What the posterior of guided paths is scored with: model, the denoisers without guidance, or
    guided, those that move the samples. It changes the curves, not the samples."""

    max_scale: Annotated[float, Field(allow_inf_nan=False, ge=1, le=100)] = 10.0
    """Largest scale that feedback may give a sample, without unit."""

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


#: What a class is scored against in each-vs-rest (guide: Complement): the other classes, the
#: complement rebuilt from the unconditional branch and the class, or that branch itself.
Complement = Literal["classes", "rebuilt", "unconditional"]
#: What moves the paths of the complement; where it is left out, what they are scored with.
ComplementPaths = Literal["rebuilt", "random-class", "unconditional"]
#: Prior of the class against its complement; "prior" is the share it has among all classes.
PairPrior = Literal["prior"] | Annotated[float, Field(gt=0, lt=1)]


class BatchPlan(Strict):
    """Trajectories of the first batch and of the largest; between them every batch doubles."""

    first: Annotated[int, Field(ge=1, le=4096)]
    """Trajectories of the first batch. A small one shows a first curve soon."""

    largest: Annotated[int, Field(ge=1, le=4096)]
    """Trajectories of the largest batch, at least those of the first. Larger ones are faster on a
    GPU; a batch is what is measured again when a worker dies."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.first > self.largest:
            raise ValueError(f"first must be <= largest, got {self.first} and {self.largest}")
        return self

    @classmethod
    def of(cls, sizes: BatchSizes) -> Self:
        return cls(first=sizes.first, largest=sizes.largest)


class Spec(Strict):
    """One run, as sent. `resolve` in plan.py fills what is left out; the result is immutable."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    """Version of this document."""

    model: Annotated[str, Field(min_length=1, max_length=100)]
    """Name of the model to measure, one of those that workers offer (GET /api/models)."""

    params: dict[str, Any] = Field(default={})
    """Parameters of the model, as its params_schema describes them; those left out have the
    model's defaults."""

    partitions: dict[str, Partition] = Field(default={"classes": None}, min_length=1, max_length=64)
    """The decisions to measure, by name (lower-case letters, digits, hyphens): null asks which of
    all labels, "each-vs-rest" each label against all others, {"each": [...]} the same of some
    labels, and a list of groups asks which group."""

    prior: Literal["model", "uniform"] | dict[str, PositiveFloat] = "model"
    """Probability of each label before anything is seen: model takes the frequencies of training
    (uniform where unknown), uniform makes all equal, an object gives a weight by label. It decides
    the entropy at high noise, and how often each label is sampled."""

    schedule: Schedule = Schedule()
    """The noise levels, in units of the data; what is left out comes from the model."""

    trajectories: Annotated[int, Field(ge=2, le=MAX_TRAJECTORIES)] = 256
    """How many samples are followed from the highest noise level to the lowest. Standard errors
    fall with the square root of it; the time of the run grows in proportion."""

    target_se_bits: Annotated[PositiveFloat, Field(ge=1e-5)] | None = None
    """Stop early, after the first batch at which the standard error of every entropy is at most
    this, in bits. Where left out, all trajectories are measured."""

    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    """Start of the random numbers: equal specs with equal seeds give equal results."""

    batch_sizes: BatchPlan | None = None
    """How the trajectories are divided into batches; the model's default where left out. It
    decides how soon the first curve is there, and belongs to the identity of the run."""

    guidance: Guidance | None = None
    """Classifier-free guidance of the samples; none where left out."""

    paths_from: Literal["model", "data"] = "model"
    """What is followed: model, samples that the model makes on their way out of the noise, or data,
    labelled data with noise added, which shows whether the model is right about real ones."""

    prune_below: Annotated[float, Field(ge=0, le=0.1)] = 0
    """A label is no longer evaluated for a sample once its posterior probability is below this,
    which saves time with many labels; 0 drops none. The result has the mass that was dropped."""

    complement: Complement = "classes"
    """What a label is scored against in each-vs-rest partitions: classes, all others, one
    evaluation each; rebuilt, their mixture rebuilt from the unconditional branch; unconditional,
    that branch itself, which contains the label. The last two make a complement run: two or three
    evaluations a sample and noise level, whatever the number of labels."""

    complement_paths: ComplementPaths | None = None
    """What moves the samples of the complement in a complement run: rebuilt, unconditional, or
    random-class, one of the other labels drawn for each sample. Where left out, what they are
    scored with."""

    pair_prior: PairPrior | None = None
    """Prior probability of the label against its complement in a complement run, or prior for the
    share it has among all labels; 0.5 where left out."""

    companions: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the trajectories that have a companion: the same path once more on every second
    noise level. What the two differ by is the error of the steps, which is measured and removed
    with it. A quarter where left out, which costs a seventh more evaluations; 0 for none, and on
    paths of data, which have a correction of their own."""
    studies: Studies = Studies()
    """Experiments on some of the trajectories, besides the curves; they cost evaluations of their
    own and change no curve."""

    previews: Previews | None = Previews()
    """The pictures to send while the run goes; null for none. They change no number."""

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
