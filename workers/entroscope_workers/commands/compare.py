"""A guided run and its unguided twin in the foreground, trajectory by trajectory."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from entroscope.measurement.curves.comparison import compare, unguided
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Point, Record
from entroscope.measurement.curves.result import result_document
from entroscope.measurement.curves.trajectories import Trajectories
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers.commands.measure import Progress, fraction_done, model_of, run, spec_of
from entroscope_workers.models.base import Model
from entroscope_workers.sampling.loaded_model import LoadedModel


def measure_both(
    model: Model | LoadedModel | str,
    spec: Spec | dict[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run a guided spec and its unguided twin with the same seeds.

    Returns:
        the result of the guided run; `studies.redistribution` is what it has more than its twin,
        as in GET /api/comparisons, and the twin's provenance.
    Raises:
        SpecError, pydantic.ValidationError: the model cannot run the spec, or it is not guided.
        Conflict: the values per trajectory are too large to be kept.
    """
    model = model_of(model)
    plan = resolve(spec_of(spec, model), model.info)
    twin = Plan(unguided(plan.spec), model.info)
    half = progress or (lambda done: None)
    result, guided = _measured(plan, model, lambda done: half(done / 2))
    base_result, base = _measured(twin, model, lambda done: half((1 + done) / 2))
    study = compare(plan, twin, guided, base) | {"base_provenance": base_result["provenance"]}
    return {**result, "studies": {**result["studies"], "redistribution": study}}


def _measured(
    plan: Plan, model: LoadedModel, progress: Callable[[float], None]
) -> tuple[dict[str, Any], Trajectories]:
    fold, batches = Fold(plan), list[dict[str, NDArray[Any]]]()
    for payload in run(plan, model, fold):
        if isinstance(payload, Point):
            progress(fraction_done(plan, payload))
        elif isinstance(payload, Record):
            batches.append({"labels": payload.labels, **payload.values})
            Trajectories.of(batches[-1:])  # what cannot be compared is said before all of it is run
    return result_document(fold), Trajectories.of(batches)
