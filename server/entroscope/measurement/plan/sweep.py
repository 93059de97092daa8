"""Sweeps: one spec and what each run changes in it (a JSON merge patch, RFC 7396)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import Spec
from entroscope.protocol.validation import spec_errors

MAX_RUNS = 200

Patch = dict[str, Any]


class Sweep(BaseModel):
    """Several runs, as sent: each is `spec` changed by one merge patch of `vary`.

    A patch's null removes a field, so that the run has its default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    spec: dict[str, Any]
    vary: Annotated[list[Patch], Field(min_length=1, max_length=MAX_RUNS)]
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the spec of each run, unchecked."""
        for patch in self.vary:
            yield merge_patch(self.spec, patch)


def merge_patch(document: Any, patch: Any) -> Any:
    """Return a document with a JSON merge patch applied (RFC 7396, section 2)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def sweep_plans(sweep: Sweep, check: Callable[[Spec], Plan], limit: int) -> list[Plan]:
    """Return what each run means; nothing is made before all of them are known to be good.

    Args:
        check: returns the plan of one run, resolved.
        limit: evaluations of all runs together.
    Raises:
        SpecError: a field of `spec` or `vary` is off, or there is too much to do.
    """
    plans: list[Plan] = []
    for index, document in enumerate(sweep.documents()):
        try:
            plans.append(check(_read(document)))
        except SpecError as error:
            place = _place(sweep.vary[index], index, error.field)
            raise SpecError(place, error.value, error.reason) from None
        _check_budget(sweep, plans, limit)
    return plans


def default_title(plans: Sequence[Plan]) -> str:
    """Return what a sweep is called that was given no title."""
    return f"{plans[0].info.title}, {len(plans)} run{'s' if len(plans) > 1 else ''}"


def _read(document: Any) -> Spec:
    try:
        return Spec.model_validate(document)
    except ValidationError as error:
        raise spec_errors(error, document)[0] from None


def _place(patch: Patch, index: int, field: str) -> str:
    """Return where in the sweep a field of one run is: in its patch, or in what all share.

    What the first run gets right is right by itself: a later run fails by what it changes.
    """
    shared = index == 0 and not _touches(patch, field.split("."))
    return f"spec.{field}" if shared else f"vary.{index}.{field}"


def _touches(patch: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(patch, Mapping):
            return True
        if part not in patch:
            return False
        patch = patch[part]
    return True


def _check_budget(sweep: Sweep, plans: Sequence[Plan], limit: int) -> None:
    total = sum(plan.evaluations for plan in plans)
    if total > limit:
        first = "the run" if len(plans) == 1 else f"the first {len(plans)} of them"
        raise SpecError(
            "vary",
            f"{len(sweep.vary)} runs",
            f"{first} make {total:,} evaluations already; the limit for all together is {limit:,}",
        )
