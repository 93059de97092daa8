"""A run in the foreground, from Python: the same runner, no server and no Redis."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Payload, Point, Record
from entroscope.measurement.curves.result import result_document
from entroscope.measurement.plan.pilot import PILOT_STEPS, spec_from_pilot
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import SpecError
from entroscope.protocol.spec import MAX_TRAJECTORIES, Schedule, Spec
from entroscope.protocol.studies_spec import Studies
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.base import Model
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import run_batch

Progress = Callable[[float], None]
#: How far the seed of a pilot is from that of its run.
PILOT_SEED = 2**52


def measure(
    model: Model | LoadedModel | str,
    spec: Spec | dict[str, Any],
    progress: Progress | None = None,
    pilot: int | None = None,
) -> dict[str, Any]:
    """Run a spec to its end and return the result document.

    Args:
        model: a loaded model, or the name of one (on the processor).
        spec: as in the API; its `model` may be left out here.
        progress: called with the finished fraction after every step.
        pilot: trajectories of a run before it that places its noise levels.
    Raises:
        SpecError, pydantic.ValidationError: the model cannot run the spec.
    """
    model = model_of(model)
    spec = spec_of(spec, model)
    if pilot is not None:
        spec = refined(model, spec, pilot)
    plan = resolve(spec, model.info)
    fold = Fold(plan)
    for payload in run(plan, model, fold):
        if progress and isinstance(payload, Point):
            progress(fraction_done(plan, payload))
    return result_document(fold)


def model_of(model: Model | LoadedModel | str) -> LoadedModel:
    """Return a model, or that of a name on the processor, with the sizes of its calls."""
    named = load_model(model, torch.device("cpu")) if isinstance(model, str) else model
    return LoadedModel.of(named)


def spec_of(spec: Spec | dict[str, Any], model: LoadedModel) -> Spec:
    """Return a spec, or that of a document, whose `model` may be left out."""
    if isinstance(spec, Spec):
        return spec
    return Spec.model_validate({"model": model.info.name, **spec})


def refined(model: LoadedModel, spec: Spec, trajectories: int) -> Spec:
    """Return the spec with its noise levels placed by a pilot run of a few trajectories.

    The pilot has a seed of its own and the ends of the spec's schedule; the number of levels stays.

    Raises:
        SpecError: the spec is off, or its levels are given one by one.
    """
    resolved = resolve(spec, model.info).spec
    schedule = resolved.schedule
    if schedule.steps is None:
        raise SpecError("schedule.sigmas", len(schedule.sigmas or ()), "leaves a pilot no choice")
    if not 2 <= trajectories <= MAX_TRAJECTORIES:
        raise SpecError("pilot", trajectories, f"must be 2 to {MAX_TRAJECTORIES} trajectories")
    few = {
        "schedule": schedule.model_copy(update={"steps": min(PILOT_STEPS, schedule.steps)}),
        "trajectories": trajectories,
        "target_se_bits": None,
        "previews": None,
        "studies": Studies(),
        "seed": (resolved.seed + PILOT_SEED) % 2**53,
    }
    placed = spec_from_pilot(measure(model, resolved.model_copy(update=few)), schedule.steps)
    levels = Schedule(sigmas=placed["schedule"]["sigmas"])
    return resolved.model_copy(update={"schedule": levels})


def run(plan: Plan, model: Model | LoadedModel, fold: Fold) -> Iterator[Payload]:
    """Run batch after batch into the fold until it is done; yield every payload on the way."""
    loaded = LoadedModel.of(model)
    for index in range(len(plan.batches)):
        for payload in run_batch(plan, index, loaded):
            if isinstance(payload, Record):
                fold.add_record(payload.facts, payload.moments, payload.studies)
            yield payload
        if fold.final_batches() is not None:
            return


def fraction_done(plan: Plan, point: Point) -> float:
    """Return how much of the run is done after a point, by trajectories times noise levels."""
    first, size = plan.batches[point.batch]
    return (first + size * (point.step + 1) / len(plan.sigmas)) / plan.spec.trajectories
