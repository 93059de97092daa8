"""Sweeps: one spec and what each run changes in it (a JSON merge patch, RFC 7396)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from entroscope.measurement.plan.curve_count import MAX_MEMBERS, count_curves
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.errors import InvalidDocument, SpecError
from entroscope.protocol.spec import Spec
from entroscope.protocol.strict import Strict
from entroscope.protocol.validation import read_document

MAX_RUNS = 200
#: Labels that the groups of all curves of all runs hold together.
MAX_SWEEP_MEMBERS = 2 * MAX_MEMBERS

Patch = dict[str, Any]


class Sweep(Strict):
    """Several runs, as sent: each is `spec` changed by one merge patch of `vary`.

    A patch's null removes a field, so that the run has its default.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    """Version of this document."""

    spec: dict[str, Any]
    """The spec that all runs share, as POST /api/runs takes it."""

    vary: Annotated[list[Patch], Field(min_length=1, max_length=MAX_RUNS)]
    """What each run changes in the shared spec: one JSON merge patch (RFC 7396) a run. A null in a
    patch removes a field, so that it has its default."""

    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Name of the sweep in lists; the model and the number of runs where left out."""

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
        Abandoned: nobody waits for them any more.
    """
    plans: list[Plan] = []
    for index, document in enumerate(sweep.documents()):
        try:
            plans.append(check(read_document(Spec, document)))
        except InvalidDocument as error:
            raise _in_sweep(sweep, index, error.errors[0]) from None
        except SpecError as error:
            raise _in_sweep(sweep, index, error) from None
        _check_budget(sweep, plans, limit)
        _check_members(sweep, plans)
    return plans


def default_title(plans: Sequence[Plan]) -> str:
    """Return what a sweep is called that was given no title."""
    return f"{plans[0].info.title}, {len(plans)} run{'s' if len(plans) > 1 else ''}"


def _in_sweep(sweep: Sweep, index: int, error: SpecError) -> SpecError:
    """Return the error of one run as one of the sweep: of its patch, or of what all runs share.

    What the first run gets right is right by itself: a later run fails by what it changes.
    """
    shared = index == 0 and not _touches(sweep.vary[index], error.field.split("."))
    field = f"spec.{error.field}" if shared else f"vary.{index}.{error.field}"
    return SpecError(field, error.value, error.reason)


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


def _check_members(sweep: Sweep, plans: Sequence[Plan]) -> None:
    """Refuse a sweep whose plans together would be too large to hold."""
    total = sum(
        count_curves(partition, len(plan.labels)).members
        for plan in plans
        for partition in plan.spec.partitions.values()
    )
    if total > MAX_SWEEP_MEMBERS:
        raise SpecError(
            "vary",
            f"{len(sweep.vary)} runs",
            f"the groups of all curves of the first {len(plans)} of them hold {total:,} labels; "
            f"the limit for all runs together is {MAX_SWEEP_MEMBERS:,}",
        )
