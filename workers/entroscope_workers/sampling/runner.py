"""One batch of one run, as payloads. It knows no transport and no run id."""

import platform
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.records import (
    PAIR,
    PAIRS,
    VALUES_LIMIT_BYTES,
    Pause,
    Payload,
    Point,
    Record,
)
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.measurement.plan.complement import is_paired
from entroscope.measurement.plan.plan import Plan
from entroscope_workers.models.base import Model
from entroscope_workers.sampling.call_sizes import Portioned
from entroscope_workers.sampling.chain import Chain, Measured
from entroscope_workers.sampling.complement_chain import PairChain
from entroscope_workers.sampling.curve_table import CurveTable
from entroscope_workers.sampling.guided_paths import jumps
from entroscope_workers.sampling.previews.encoder import Draw, Sheets, drawing
from entroscope_workers.sampling.previews.paired import paired_previews
from entroscope_workers.sampling.previews.sprite_sheets import MAX_POSTERIOR, grid, preview_steps
from entroscope_workers.sampling.studies.batch import BatchStudies


@torch.inference_mode()
def run_batch(plan: Plan, index: int, model: Model) -> Iterator[Payload]:
    """Run one batch: a Point each step, Previews in the first batch, the Record last.

    Every number belongs to its trajectory: none depends on the batch it ran in.
    """
    started = time.perf_counter()
    first, size = plan.batches[index]
    bound = Portioned.of(model).bind(plan.spec.params, plan.labels)
    trajectories = range(first, first + size)
    chain: Chain | PairChain
    chain = (PairChain if is_paired(plan.spec) else Chain)(plan, bound, trajectories)
    studies = None if isinstance(chain, PairChain) else BatchStudies(plan, index, bound, chain)
    cuts = jumps(plan.spec.guidance, plan.sigmas.tolist())
    tables = {curve.key: CurveTable(plan.sigmas, size, cuts) for curve in plan.curves}
    count = _preview_samples(plan, index)
    shown = preview_steps(len(plan.sigmas)) if count else frozenset[int]()
    paired = paired_previews(plan, index, bound)
    pairs = 0
    with Sheets() as sheets:
        for step, measured in enumerate(chain.steps()):
            pairs += measured.evaluations
            if studies and isinstance(chain, Chain) and measured.posterior is not None:
                studies.add(step, measured.posterior, chain)
            _tabulate(tables, step, measured)
            yield _point(plan, index, step, tables)
            seen = paired.step() if paired else None
            if step in shown:
                samples, data = seen or _samples(plan, chain.names(count), measured)
                header = _preview_header(plan, index, step, samples)
                sheets.add(header, data, _draw(plan, step, bound))
            yield from sheets.ready()
        yield from sheets.rest()
    studied = 0
    for spent in studies.steps() if studies else ():
        studied += spent
        yield Pause()
    seconds = time.perf_counter() - started
    pictured = paired.evaluations if paired else 0
    facts = _facts(plan, index, bound, (pairs, studied, pictured), seconds)
    yield _record(plan, facts, chain, tables, studies.arrays() if studies else {})


def _preview_samples(plan: Plan, index: int) -> int:
    if index or plan.spec.previews is None:
        return 0
    return min(plan.spec.previews.samples, plan.batches[0][1])


def _point(plan: Plan, index: int, step: int, tables: Mapping[str, CurveTable]) -> Point:
    n, total, square = zip(*(table.sums(step) for table in tables.values()), strict=True)
    sigma = float(plan.sigmas[step])
    return Point(index, step, sigma, np.array(n), np.stack(total), np.stack(square))


def _tabulate(tables: Mapping[str, CurveTable], step: int, measured: Measured) -> None:
    for table, values in zip(tables.values(), measured.values, strict=True):
        table.add(step, values)
    if measured.calibration is not None:
        for table, values in zip(tables.values(), measured.calibration, strict=True):
            table.calibrate(values)


def _draw(plan: Plan, step: int, model: Model) -> Draw:
    decode = "never" if plan.spec.previews is None else plan.spec.previews.decode
    return drawing(model, decode, last=step + 1 == len(plan.sigmas))


def _samples(
    plan: Plan, labels: list[str], measured: Measured
) -> tuple[list[dict[str, Any]], Tensor]:
    """Return the first trajectories as a header has them, and their data."""
    posterior: list[Any] = [None] * len(labels)
    if measured.posterior is not None and len(plan.columns) <= MAX_POSTERIOR:
        posterior = measured.posterior[: len(labels)].cpu().numpy().round(4).tolist()
    samples = [{"label": own, "posterior": p} for own, p in zip(labels, posterior, strict=True)]
    return samples, measured.denoised[: len(labels)]


def _preview_header(
    plan: Plan, index: int, step: int, samples: list[dict[str, Any]]
) -> dict[str, Any]:
    columns, rows = grid(len(samples))
    return {
        "batch": index,
        "step": step,
        "sigma": float(plan.sigmas[step]),
        "columns": columns,
        "rows": rows,
        "media_type": "image/jpeg",
        "samples": samples,
    }


def _record(
    plan: Plan,
    facts: dict[str, Any],
    chain: Chain | PairChain,
    tables: Mapping[str, CurveTable],
    studies: StudyArrays,
) -> Record:
    labels = chain.own.cpu().numpy()
    truths = chain.truth.cpu().numpy() if isinstance(chain, PairChain) else labels
    moments = {key: table.moments(truths, plan.num_truths) for key, table in tables.items()}
    if isinstance(chain, PairChain):
        values = _pair_values(chain, tables)
    else:
        values = {key: table.kept() for key, table in tables.items()}
    if sum(array.nbytes for array in values.values()) > VALUES_LIMIT_BYTES:
        values = {}
    return Record(facts, moments, labels, values, studies)


def _pair_values(
    chain: PairChain, tables: Mapping[str, CurveTable]
) -> dict[str, NDArray[np.float32]]:
    pairs = next(iter(tables.values())).kept()
    for table in tables.values():
        own = table.kept()
        pairs = np.where(np.isfinite(own), own, pairs)
    return {PAIRS: pairs, PAIR: chain.label.cpu().numpy().astype(np.float32)}


def _facts(
    plan: Plan, index: int, model: Portioned, pairs: tuple[int, int, int], seconds: float
) -> dict[str, Any]:
    """Args: pairs: those that the curves took, those of the studies and of paired previews."""
    first, size = plan.batches[index]
    pictured = plan.preview_evaluations if pairs[2] else 0
    return {
        "batch": index,
        "first": first,
        "trajectories": size,
        "evaluations": sum(pairs),
        "evaluations_full": size * plan.labels_evaluated * len(plan.sigmas) + pairs[1] + pictured,
        "seconds": seconds,
        "device": device_name(model.device),
        "versions": versions(),
        "weights_hash": model.info.weights_hash,
        "data": _data_facts(plan, model),
        "micro_batches": model.most,
    }


def _data_facts(plan: Plan, model: Model) -> dict[str, str] | None:
    """Return where data paths came from; None on paths of the model."""
    data = model.info.data
    if plan.spec.paths_from == "model" or data is None:
        return None
    return {"part": data.part, "checksum": data.checksum}


def versions() -> dict[str, str]:
    """Return the versions that numbers may depend on."""
    packages = {name: version(name) for name in ("entroscope", "torch", "numpy")}
    return {"python": platform.python_version(), **packages}


def device_name(device: torch.device) -> str:
    """Return what a person calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"
