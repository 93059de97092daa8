"""A run in the foreground, from Python: the same runner, no server and no Redis."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from entroscope.protocol.fold import Fold
from entroscope.protocol.payloads import Payload, Point, Record
from entroscope.protocol.plan import Plan, resolve
from entroscope.protocol.result import result_document
from entroscope.protocol.spec import Spec
from entroscope_workers.models.base import Model
from entroscope_workers.registry import load_model
from entroscope_workers.runner import run_batch

Progress = Callable[[float], None]


def measure(
    model: Model | str,
    spec: Spec | dict[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run a spec to its end and return the result document.

    Args:
        model: a loaded model, or the name of a family (on the processor).
        spec: as in the API; its `model` may be left out here.
        progress: called with the finished fraction after every step.
    Raises:
        SpecError, pydantic.ValidationError: the model cannot run the spec.
    """
    model = model_of(model)
    plan = Plan(resolve(spec_of(spec, model), model.info), model.info)
    fold = Fold(plan)
    for payload in run(plan, model, fold):
        if progress and isinstance(payload, Point):
            progress(fraction_done(plan, payload))
    return result_document(fold)


def model_of(model: Model | str) -> Model:
    """Return a model, or that of a name, on the processor."""
    return load_model(model, torch.device("cpu")) if isinstance(model, str) else model


def spec_of(spec: Spec | dict[str, Any], model: Model) -> Spec:
    """Return a spec, or that of a document, whose `model` may be left out."""
    if isinstance(spec, Spec):
        return spec
    return Spec.model_validate({"model": model.info.name, **spec})


def run(plan: Plan, model: Model, fold: Fold) -> Iterator[Payload]:
    """Run batch after batch into the fold until it is done; yield every payload on the way."""
    for index in range(len(plan.batches)):
        for payload in run_batch(plan, index, model):
            if isinstance(payload, Record):
                fold.add_record(payload.facts, payload.moments, payload.studies)
            yield payload
        if fold.final_batches() is not None:
            return


def fraction_done(plan: Plan, point: Point) -> float:
    """Return how much of the run is done after a point, by trajectories times noise levels."""
    first, size = plan.batches[point.batch]
    return (first + size * (point.step + 1) / len(plan.sigmas)) / plan.spec.trajectories
