"""What is kept of a run beside its log: as it is asked for, stored, and read again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from entroscope.broker.plans import keep_plan, read_plan, stored
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import Conflict, SpecError
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import State

#: Sums and values of one finished batch, as in Record.encode().
Frames = tuple[bytes, bytes]


class UnreadableRun(Conflict):
    """A run that this version cannot read: of a later version, or damaged."""

    def __init__(self, run: str, error: object) -> None:
        lines = str(error).splitlines() or [repr(error)]
        super().__init__(f"this version cannot read run {run!r}: {lines[0]}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is known of a run all the same."""

    id: str
    created_ms: int
    model: str
    parent: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a run beside its log.

    Attributes:
        spec: resolved.
        reason: why it failed.
        parent: the sweep it belongs to.
        extends: the run whose batches it reuses.
        cancel: somebody asked to cancel it; it may not have ended yet.
    """

    id: str
    spec: Spec
    info: ModelInfo
    state: State
    created_ms: int
    started_ms: int | None
    finished_ms: int | None
    reason: str | None
    parent: str | None
    extends: str | None
    spec_hash: str
    cancel: bool

    @property
    def plan(self) -> Plan:
        """The plan of the run.

        Raises:
            UnreadableRun: its spec does not fit its model.
        """
        try:
            return read_plan(*stored(self.spec, self.info))
        except (ValidationError, SpecError) as error:
            raise UnreadableRun(self.id, error) from None

    def unreadable(self, error: UnreadableRun) -> Unreadable:
        """Return the run as one that cannot be read."""
        return Unreadable(self.id, self.created_ms, self.info.name, self.parent, str(error))


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be made.

    Attributes:
        reuse: batches that are known already; where they suffice the run is done at once.
        reserved: bytes that it may come to take.
    """

    id: str
    plan: Plan
    parent: str | None = None
    extends: str | None = None
    reserved: int = 0
    reuse: Mapping[int, Frames] = field(default_factory=dict)


def stored_fields(new: NewRun, created_ms: int) -> dict[str, Any]:
    """Return the hash of a new run."""
    spec, info = keep_plan(new.plan)
    fields = {
        "spec": spec,
        "info": info,
        "model": new.plan.info.name,
        "spec_hash": new.plan.hash,
        "state": State.QUEUED.value,
        "created_ms": created_ms,
        "parent": new.parent,
        "extends": new.extends,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_row(run: str, fields: Mapping[bytes, bytes]) -> Row:
    """Return a run from its hash.

    Raises:
        UnreadableRun: a field of it is missing, or not one of this version.
    """
    try:
        return _row(run, {key.decode(): value.decode() for key, value in fields.items()})
    except (ValueError, KeyError) as error:
        raise UnreadableRun(run, error) from None


def read_unreadable(run: str, fields: Mapping[bytes, bytes], error: UnreadableRun) -> Unreadable:
    """Return what a hash that cannot be read says all the same."""
    text = {key.decode(): value.decode(errors="replace") for key, value in fields.items()}
    created = text.get("created_ms", "")
    created_ms = int(created) if created.isascii() and created.isdigit() else 0
    return Unreadable(run, created_ms, text.get("model", ""), text.get("parent"), str(error))


def _row(run: str, text: Mapping[str, str]) -> Row:
    return Row(
        id=run,
        spec=Spec.model_validate_json(text["spec"]),
        info=ModelInfo.model_validate_json(text["info"]),
        state=State(text["state"]),
        created_ms=int(text["created_ms"]),
        started_ms=int(text["started_ms"]) if "started_ms" in text else None,
        finished_ms=int(text["finished_ms"]) if "finished_ms" in text else None,
        reason=text.get("reason"),
        parent=text.get("parent"),
        extends=text.get("extends"),
        spec_hash=text["spec_hash"],
        cancel=text.get("cancel") == "1",
    )
