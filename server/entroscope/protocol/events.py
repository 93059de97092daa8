"""The public events of a run, as viewers get them; published as JSON Schema."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from entroscope.protocol.quantities import (
    CALIBRATED,
    COLUMNS,
    PRUNING,
    SHOWN,
    mean_and_error,
    with_columns,
)

#: The id of an event: milliseconds and a number, as Redis gives them. `after` takes one.
EVENT_ID = re.compile(r"(\d{1,19})-(\d{1,19})")

#: Comes before every event.
START = "0-0"


def event_order(id: str) -> tuple[int, int]:
    """Return the place of an event in its log, to compare with others.

    Raises:
        ValueError: it is not the id of an event.
    """
    match = EVENT_ID.fullmatch(id)
    if match is None:
        raise ValueError(f"an event's id looks like 1760000000000-0, got {id[:60]!a}")
    return int(match[1]), int(match[2])


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    id: Annotated[str, Field(pattern=r"^\d+-\d+$")]
    run: str


class Queued(_Event):
    """The run was accepted; `position` runs of its model were ahead of it then."""

    type: Literal["queued"]
    position: int | None = None


class Started(_Event):
    """A worker has begun a batch (again, where the one before it was lost)."""

    type: Literal["started"]
    worker: str
    device: str
    batch: int


@with_columns(mean_and_error(SHOWN), float | None, after="n")
class CurvePoint(BaseModel):
    """One curve at one noise level, in bits; production is per unit of ln sigma."""

    n: int


class PointEvent(_Event):
    """The fold so far at one noise level: finished batches and those under way."""

    type: Literal["point"]
    batch: int
    step: int
    sigma: float
    curves: dict[str, CurvePoint]


Numbers = list[float | None]


class Profile(BaseModel):
    """E[h | z]: the entropy over paths of one true label."""

    label: str
    n: int
    entropy: Numbers
    entropy_se: Numbers
    entropy_combined: Numbers | None = None
    entropy_combined_se: Numbers | None = None


class ExactCurve(BaseModel):
    """The exact answer over noise levels of its own, in bits and per unit of ln sigma."""

    sigma: list[float]
    entropy: list[float]
    production: list[float]


class Reliability(BaseModel):
    """How often the likelier answers were right, by noise level and bin of their probability."""

    edges: list[float]
    count: list[list[float]]
    confidence: list[Numbers]
    accuracy: list[Numbers]


@with_columns(mean_and_error(CALIBRATED), Numbers)
class Calibration(BaseModel):
    """The model as a classifier of noised data; corrected for the steps at every second level.

    Gap is cross-entropy minus entropy: above 0 the model is surer than it is right.
    """

    reliability: Reliability


class Floor(BaseModel):
    """Where a curve of a complement run ends, in bits.

    Attributes:
        entropy: H at the lowest noise level.
        saturation: what the log-ratio to the unconditional branch cannot exceed, where that is
            exactly the mixture of the classes; a trained one may be far from it.
        expected: the entropy that this leaves, were all else decided.
    """

    entropy: float | None
    entropy_se: float | None
    saturation: float | None
    expected: float | None


@with_columns(PRUNING, Numbers)
class Pruning(BaseModel):
    """What pruning has dropped, and the bound of its effect: h(eps) + eps log2 K for the mass eps.

    h is the binary entropy and K the number of groups of the curve.
    """


@with_columns(COLUMNS, Numbers, after="n")
class Curve(BaseModel):
    """One whole curve of the finished batches, over `sigma`."""

    partition: str
    path: list[str]
    title: str
    groups: list[str]
    bound: float
    n: int
    pruning: Pruning | None = None
    floor: Floor | None = None
    profiles: list[Profile]
    exact: ExactCurve | None = None
    calibration: Calibration | None = None


class Window(BaseModel):
    """Peak of a curve's production and the sigma interval of the central share of it."""

    curve: str
    share: float
    sigma_peak: float | None
    sigma_peak_error: float | None
    sigma_low: float | None
    sigma_low_error: float | None
    sigma_high: float | None
    sigma_high_error: float | None


class BatchEvent(_Event):
    """A batch is finished; the curves are those of all finished batches."""

    type: Literal["batch"]
    batch: int
    trajectories: int
    evaluations: int
    sigma: list[float]
    curves: dict[str, Curve]
    windows: list[Window]


class Check(BaseModel):
    """One self-check of the run; it passes where `value` is at most `bound`.

    `ok` is null where one of them could not be measured, for want of trajectories.
    """

    name: str
    ok: bool | None
    value: float | None
    bound: float | None
    explanation: str = ""


class ChecksEvent(_Event):
    """The self-checks of the finished run."""

    type: Literal["checks"]
    checks: list[Check]


class PreviewEvent(_Event):
    """Pictures at one noise level: a URL here, a binary frame on a WebSocket."""

    type: Literal["preview"]
    batch: int
    step: int
    sigma: float
    columns: int
    rows: int
    media_type: str
    samples: list[dict[str, Any]]
    url: str


class Done(_Event):
    """All batches, or as many as the target error needed, are merged."""

    type: Literal["done"]
    batches: int
    trajectories: int


class Failed(_Event):
    """The run cannot be finished."""

    type: Literal["failed"]
    reason: str


class Cancelled(_Event):
    """Somebody cancelled the run: at this batch and step, or before it began (null)."""

    type: Literal["cancelled"]
    batch: int | None = None
    step: int | None = None


Event = Annotated[
    Queued
    | Started
    | PointEvent
    | BatchEvent
    | ChecksEvent
    | PreviewEvent
    | Done
    | Failed
    | Cancelled,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Any] = TypeAdapter(Event)

#: Types after which nothing follows.
LAST = frozenset({"done", "failed", "cancelled"})


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of one public event."""
    schema = EVENT.json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event of an Entroscope run",
        **schema,
    }
