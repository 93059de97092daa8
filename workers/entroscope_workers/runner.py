"""One batch of one run, as payloads. It knows no transport and no run id."""

import platform
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor

from entroscope.protocol.payloads import (
    VALUES_LIMIT_BYTES,
    Pause,
    Payload,
    Point,
    Preview,
    Record,
)
from entroscope.protocol.plan import Plan
from entroscope.protocol.studies.arrays import StudyArrays
from entroscope_workers.chain import Chain, Measured
from entroscope_workers.models.base import Model
from entroscope_workers.previews import MAX_POSTERIOR, grid, preview_steps, sprite_sheet
from entroscope_workers.studies.batch import BatchStudies
from entroscope_workers.tables import CurveTable


@torch.inference_mode()
def run_batch(plan: Plan, index: int, model: Model) -> Iterator[Payload]:
    """Run one batch: a Point each step, Previews in the first batch, the Record last.

    Every number belongs to its trajectory: none depends on the batch it ran in.
    """
    started = time.perf_counter()
    first, size = plan.batches[index]
    bound = model.bind(plan.spec.params, plan.labels)
    chain = Chain(plan, bound, range(first, first + size))
    tables = {curve.key: CurveTable(plan.sigmas, size) for curve in plan.curves}
    studies = BatchStudies(plan, index, bound, chain)
    samples = _preview_samples(plan, index)
    shown = preview_steps(len(plan.sigmas)) if samples else frozenset[int]()
    pairs = 0
    for step, measured in enumerate(chain.steps()):
        pairs += measured.evaluations
        studies.add(step, measured.posterior, chain)
        for table, values in zip(tables.values(), measured.values, strict=True):
            table.add(step, values)
        yield _point(plan, index, step, tables)
        if step in shown:
            yield _preview(plan, index, step, samples, chain.own, measured, bound)
    studied = 0
    for spent in studies.steps():
        studied += spent
        yield Pause()
    seconds = time.perf_counter() - started
    facts = _facts(plan, index, bound, (pairs, studied), seconds)
    yield _record(plan, facts, chain.own, tables, studies.arrays())


def _preview_samples(plan: Plan, index: int) -> int:
    if index or plan.spec.previews is None:
        return 0
    return min(plan.spec.previews.samples, plan.batches[0][1])


def _point(plan: Plan, index: int, step: int, tables: Mapping[str, CurveTable]) -> Point:
    n, total, square = zip(*(table.sums(step) for table in tables.values()), strict=True)
    sigma = float(plan.sigmas[step])
    return Point(index, step, sigma, np.array(n), np.stack(total), np.stack(square))


def _preview(
    plan: Plan, index: int, step: int, samples: int, own: Tensor, measured: Measured, model: Model
) -> Preview:
    columns, rows = grid(samples)
    posterior = measured.posterior[:samples].cpu().numpy().round(4).tolist()
    labels = [plan.labels[plan.columns[position]] for position in own[:samples].tolist()]
    whole = len(plan.columns) <= MAX_POSTERIOR
    header = {
        "batch": index,
        "step": step,
        "sigma": float(plan.sigmas[step]),
        "columns": columns,
        "rows": rows,
        "media_type": "image/jpeg",
        "samples": [
            {"label": label, "posterior": p if whole else None}
            for label, p in zip(labels, posterior, strict=True)
        ],
    }
    return Preview(header, sprite_sheet(model.pictures(measured.denoised[:samples])))


def _record(
    plan: Plan,
    facts: dict[str, Any],
    own: Tensor,
    tables: Mapping[str, CurveTable],
    studies: StudyArrays,
) -> Record:
    labels = own.cpu().numpy()
    moments = {key: table.moments(labels, len(plan.columns)) for key, table in tables.items()}
    values = {key: table.kept() for key, table in tables.items()}
    if sum(array.nbytes for array in values.values()) > VALUES_LIMIT_BYTES:
        values = {}
    return Record(facts, moments, labels, values, studies)


def _facts(
    plan: Plan, index: int, model: Model, pairs: tuple[int, int], seconds: float
) -> dict[str, Any]:
    """Args: pairs: those that the curves took, and those of the studies."""
    first, size = plan.batches[index]
    return {
        "batch": index,
        "first": first,
        "trajectories": size,
        "evaluations": sum(pairs),
        "evaluations_full": size * plan.labels_evaluated * len(plan.sigmas) + pairs[1],
        "seconds": seconds,
        "device": device_name(model.device),
        "versions": versions(),
        "weights_hash": model.info.weights_hash,
        "micro_batches": 1,
    }


def versions() -> dict[str, str]:
    """Return the versions that numbers may depend on."""
    packages = {name: version(name) for name in ("entroscope", "torch", "numpy")}
    return {"python": platform.python_version(), **packages}


def device_name(device: torch.device) -> str:
    """Return what a person calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"
