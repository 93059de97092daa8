"""The documents of sweeps in the REST API, as OpenAPI describes them."""

from typing import Any, Literal

from pydantic import BaseModel

from entroscope.api.schemas import Cost, Document, Receipt, RunDocument
from entroscope.protocol.states import State


class SweepRun(BaseModel):
    """Where one run of a sweep stands; `position` is that of a run in the queue."""

    id: str
    state: State
    position: int | None


class SweepSummary(Document):
    """A sweep and its runs in short.

    Attributes:
        state: running until all runs have ended; then failed or cancelled if one of them is.
        progress: mean over the runs; what has ended counts as a whole.
        vary: the patch of every run that is still there, in the order of `runs`.
    """

    id: str
    title: str
    created_ms: int
    state: State
    progress: float
    vary: list[dict[str, Any]]
    runs: list[SweepRun]


class SweepDocument(Document):
    """A sweep with the documents of its runs; `spec` is what they share, as it was sent."""

    id: str
    title: str
    created_ms: int
    state: State
    progress: float
    spec: dict[str, Any]
    vary: list[dict[str, Any]]
    runs: list[RunDocument]


class SweepList(Document):
    """Sweeps, newest first; `next` is the `before` of the next page."""

    sweeps: list[SweepSummary]
    next: str | None


class SweepPlan(Document):
    """What a sweep would be; nothing is stored. `runs` counts them."""

    title: str
    runs: int
    cost: Cost


class Receipts(Document):
    """What became of the runs of a cancelled sweep that had not ended."""

    id: str
    receipts: list[Receipt]


class SweepPreset(BaseModel):
    """A sweep that is ready to be sent.

    Attributes:
        axis: on which its curves are best looked at.
        sweep: the body of POST /api/sweeps.
    """

    name: str
    title: str
    explanation: str
    axis: Literal["sigma", "vp_time"]
    sweep: dict[str, Any]


class SweepPresets(Document):
    presets: list[SweepPreset]
