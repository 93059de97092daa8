"""The documents of the REST API, as OpenAPI describes them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from entroscope.broker.presence import WorkerInfo
from entroscope.measurement.plan.pilot import REFINED_STEPS
from entroscope.protocol.events import Check, Curve, ExactCurve, Window
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.partitions import Preset
from entroscope.protocol.presets import RunPreset
from entroscope.protocol.quantities import SHOWN, mean_and_error, with_columns
from entroscope.protocol.spec import MAX_STEPS
from entroscope.protocol.states import State


class Document(BaseModel):
    """Every document says which version of the wire it speaks."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1


class CurveName(BaseModel):
    """A curve that a run measures; `bound` is the entropy of its prior, in bits.

    Attributes:
        exact: the answer, where one is known; null in lists of runs, to keep them short.
    """

    key: str
    title: str
    partition: str
    path: list[str]
    groups: list[str]
    bound: float
    exact: ExactCurve | None = None


class Progress(BaseModel):
    """How far a run is; `fraction` counts batches under way too."""

    trajectories: int
    total: int
    fraction: float
    seconds_left: float | None


class Cost(BaseModel):
    """What a run takes: evaluations, and seconds where the speed is known."""

    evaluations: int
    seconds: float | None


class RunDocument(Document):
    """A run.

    Attributes:
        position: runs of its model ahead of it while it is queued.
        available: whether a worker alive has its model.
    """

    id: str
    state: State
    model: str
    title: str
    position: int | None
    available: bool
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    spec: dict[str, Any]
    spec_hash: str
    parent: str | None
    extends: str | None
    reason: str | None
    labels: list[str]
    curves: list[CurveName]
    sigma: list[float]
    progress: Progress
    cost: Cost


class RunList(Document):
    """Runs, newest first; `next` is the `before` of the next page."""

    runs: list[RunDocument]
    next: str | None


class PlanDocument(Document):
    """What a run of a spec would be; nothing is stored.

    Attributes:
        batches: their sizes.
        presets: partitions worth measuring on the model with these params.
    """

    spec: dict[str, Any]
    labels: list[str]
    curves: list[CurveName]
    sigma: list[float]
    batches: list[int]
    presets: list[Preset]
    cost: Cost


class Receipt(Document):
    """What became of a cancel.

    Attributes:
        effect: removed (it was queued), stopping (a worker has its batch `batch` and stops at its
            next step), stopped (it was between two batches), finished (it had ended before).
    """

    id: str
    state: State
    effect: Literal["removed", "stopping", "stopped", "finished"]
    batch: int | None
    step: int | None


class Extension(BaseModel):
    """How many trajectories an extended run is to have, those it reuses included."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trajectories: Annotated[int, Field(ge=2, le=1_000_000)]


class Refinement(BaseModel):
    """How many noise levels a refined run is to have."""

    model_config = ConfigDict(extra="forbid", strict=True)

    steps: Annotated[int, Field(ge=2, le=MAX_STEPS)] = REFINED_STEPS


class OfferedModel(ModelInfo):
    """A model, whether a worker alive has it, and its labels with default params."""

    available: bool
    labels_default: tuple[str, ...]


class ModelList(Document):
    models: list[OfferedModel]


class OfferedPreset(RunPreset):
    """A preset and who can run it.

    Attributes:
        available: whether a worker alive has a model that fits.
        models: the names of these models, its own first; the spec is that of the first.
        seconds: how long it would take alone on the first, where its speed is known.
    """

    available: bool
    models: tuple[str, ...]
    seconds: float | None


class ShownQuantity(BaseModel):
    """A quantity that every curve has, with its standard error under its name and "_se".

    Attributes:
        name: its key in results, events and comparisons.
        unit: "bits"; is_rate: whether it is per unit of ln sigma.
        combined: whether a result has it with control variates too, under its name and
            "_combined".
        title, symbol: what axes and sentences call it.
        anchor: page and heading of the handbook that explain it.
    """

    name: str
    unit: str
    is_rate: bool
    combined: bool
    title: str
    symbol: str
    anchor: str


class PresetList(Document):
    presets: list[OfferedPreset]


class WorkerList(Document):
    workers: list[WorkerInfo]


class Health(Document):
    """`redis` tells whether the queue can be reached; runs on workers go on meanwhile.

    Attributes:
        reason: why the server works in part only, where Redis can be reached and says so.
    """

    status: Literal["ok", "degraded"]
    redis: bool
    reason: str | None = None
    version: str


class Result(Document):
    """What a run has measured, in bits; production is per unit of ln sigma.

    Attributes:
        pair_prior: that of the each-vs-rest curves, where another than the run's was asked for.
    """

    spec: dict[str, Any]
    unit: Literal["bits"]
    labels: list[str]
    sigma: list[float]
    trajectories: int
    batches: int
    curves: dict[str, Curve]
    windows: list[Window]
    checks: list[Check]
    studies: dict[str, Any]
    pair_prior: float | None = None
    provenance: dict[str, Any]


Series = list[float | None]


@with_columns(mean_and_error(SHOWN), Series, after="n")
class CurveDifference(BaseModel):
    """One curve of a run less that of another, with the standard error of the paired difference."""

    partition: str
    path: list[str]
    title: str
    n: int


class ClassDifference(BaseModel):
    """The difference of production of one class, of `n` trajectories."""

    label: str
    n: int
    production: Series
    production_se: Series


class Redistribution(BaseModel):
    """Differences of production over classes: median and 25th and 75th percentile."""

    title: str
    median: Series
    low: Series
    high: Series
    classes: list[ClassDifference]


class Guidances(BaseModel):
    """The guidance of both runs, as in their specs."""

    run: dict[str, Any] | None
    base: dict[str, Any] | None


class Comparison(Document):
    """What `run` has more than `base`, in bits; production is per unit of ln sigma.

    Attributes:
        trajectories: how many both have.
        redistributions: by curve, or by partition for each-vs-rest.
    """

    run: str
    base: str
    unit: Literal["bits"]
    sigma: list[float]
    guidance: Guidances
    trajectories: int
    curves: dict[str, CurveDifference]
    redistributions: dict[str, Redistribution]
