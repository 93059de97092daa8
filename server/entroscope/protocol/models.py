"""What a model says of itself: the document workers announce and the page builds its form from."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from entroscope.protocol.partitions import Preset

PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class ScheduleDefaults(BaseModel):
    """Noise levels a model is measured at unless the spec says otherwise (sigma in data units)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: int = 32
    sigma_max: PositiveFloat = 80.0
    sigma_min: PositiveFloat = 0.02
    rho: PositiveFloat = 7.0


class BatchSizes(BaseModel):
    """Trajectories of the first batch and of the largest; between them every batch doubles."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    first: int = 16
    largest: int = 64


class DataInfo(BaseModel):
    """The labelled data a model was given (`entroscope work --data`), or that a mixture draws.

    Attributes:
        examples: how many there are; None where they are drawn anew for every trajectory.
        per_label: how many of each label of the model; empty where drawn.
        checksum: the first 16 digits of their SHA-256; it belongs to the identity of a run.
        part: where they are from, e.g. "t10k".
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    examples: int | None = None
    per_label: tuple[int, ...] = ()
    checksum: str
    part: str


#: Kinds of params of the families that announced none by name, before `params_kind` was there.
KINDS_OF_BEFORE = {"gaussian-mixture": "mixture"}


class ModelInfo(BaseModel):
    """A model as workers announce it. `labels` is empty where the run's params decide them.

    Attributes:
        shape: shape of one datum, e.g. (1, 28, 28).
        prior: training frequency of each label, summing to 1, or None where unknown (then uniform).
        unconditional: whether `denoise` accepts NO_LABEL.
        presets: partitions worth measuring; empty where the run's params decide the labels.
        params_kind: kind of params that the server can compute with ("mixture", "prompts"): their
            labels, noise levels, exact curves and cost; None for any other.
        params_schema: JSON Schema of the params, an object whose properties all have a default and
            a description; None for a model without params.
        pairs_per_second: (sample, label, sigma) evaluations a second, probed by the worker.
        data: labelled data that paths may come from, or None.
        decodes: whether its data are latents that can be decoded into pictures.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    family: str
    title: str
    description: str = ""
    labels: tuple[str, ...] = ()
    label_kind: Literal["classes", "prompts"] = "classes"
    shape: tuple[int, ...]
    schedule: ScheduleDefaults = ScheduleDefaults()
    batch_sizes: BatchSizes = BatchSizes()
    prior: tuple[float, ...] | None = None
    unconditional: bool = False
    presets: tuple[Preset, ...] = ()
    params_kind: str | None = None
    params_schema: dict[str, Any] | None = None
    weights_hash: str | None = None
    pairs_per_second: float | None = None
    data: DataInfo | None = None
    decodes: bool = False

    @model_validator(mode="before")
    @classmethod
    def _kind_of_before(cls, document: Any) -> Any:
        """Add the kind of params to documents that were written before they named it."""
        if not isinstance(document, dict) or "params_kind" in document:
            return document
        kind = KINDS_OF_BEFORE.get(str(document.get("family")))
        if document.get("label_kind") == "prompts":
            kind = "prompts"
        return {**document, "params_kind": kind}
