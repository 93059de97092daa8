"""One batch of one run, as payloads. It knows no transport and no run id."""

import platform
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.estimation.integral import integral_weights
from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.curves.records import (
    PAIR,
    PAIRS,
    VALUES_LIMIT_BYTES,
    Pause,
    Payload,
    Point,
    Record,
)
from entroscope.measurement.plan.complement import is_complement_run
from entroscope.measurement.plan.plan import Plan
from entroscope_workers.models.base import Model
from entroscope_workers.sampling.chain import Chain, Measured
from entroscope_workers.sampling.companions import Companions
from entroscope_workers.sampling.complement_chain import ComplementChain
from entroscope_workers.sampling.curve_table import CurveTable
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.path_noise import path_noise
from entroscope_workers.sampling.previews.encoder import Draw, Sheets, drawing
from entroscope_workers.sampling.previews.sprite_sheets import MAX_POSTERIOR, grid, preview_steps
from entroscope_workers.sampling.previews.twins import twin_previews
from entroscope_workers.sampling.pruning import Kept
from entroscope_workers.sampling.studies.batch import BatchStudies


@torch.inference_mode()
def run_batch(plan: Plan, index: int, model: Model | LoadedModel) -> Generator[Payload, None, None]:
    """Run one batch: a Point each step, Previews in the first batch, the Record last.

    Every number belongs to its trajectory: none depends on the batch it ran in. The threads beside
    the sampling end with the generator, be it used up or closed.
    """
    started = time.perf_counter()
    bound = LoadedModel.of(model).bind(plan.spec.params, plan.labels)
    with ThreadPoolExecutor(1, thread_name_prefix="noise") as pool, Sheets() as sheets:
        batch = _Batch(plan, index, bound, pool)
        for step, measured in enumerate(batch.chain.steps()):
            yield batch.add(step, measured)
            batch.show(step, measured, sheets)
            yield from sheets.ready()
        yield from sheets.rest()
        for _ in batch.companions.steps(batch.kept):
            yield Pause()
    for spent in batch.studies.steps() if batch.studies else ():
        batch.studied += spent
        yield Pause()
    yield batch.record(time.perf_counter() - started)


class _Batch:
    """A batch under way: its chain, what is kept of its steps, its studies and previews.

    Attributes:
        evaluated, studied: evaluations of the curves and of the studies, so far.
    """

    def __init__(self, plan: Plan, index: int, bound: LoadedModel, pool: Executor) -> None:
        self.plan, self.index, self.bound = plan, index, bound
        first, size = plan.batches[index]
        trajectories = range(first, first + size)
        noise = path_noise(plan, bound, trajectories, pool)
        self.chain: Chain | ComplementChain
        self.studies: BatchStudies | None = None
        if is_complement_run(plan.spec):
            self.chain = ComplementChain(plan, bound, noise, trajectories)
        else:
            self.chain = Chain(plan, bound, noise)
            self.studies = BatchStudies(plan, index, bound, self.chain)
        self._tables = {
            curve.key: CurveTable(plan.sigmas, size, plan.edges) for curve in plan.curves
        }
        self.companions = Companions(plan, bound, trajectories, pool)
        self._samples = _preview_samples(plan, index)
        shown = preview_steps(len(plan.sigmas)) if self._samples else frozenset[int]()
        self._shown_at, self._twins = shown, twin_previews(plan, index, bound, pool)
        self.evaluated = self.studied = 0

    def add(self, step: int, measured: Measured) -> Point:
        """Keep what was measured at a step; return the sums so far."""
        self.evaluated += measured.evaluations
        if self.studies and isinstance(self.chain, Chain) and measured.posterior is not None:
            self.studies.add(step, measured.posterior, self.chain)
        _tabulate(self._tables, step, measured)
        return _point(self.plan, self.index, step, self._tables)

    def show(self, step: int, measured: Measured, sheets: Sheets) -> None:
        """Have the previews of a step drawn, where it has any."""
        twins = self._twins.step() if self._twins else None
        if step in self._shown_at:
            names = self.chain.names(self._samples)
            samples, data = twins or _samples(self.plan, names, measured)
            header = _preview_header(self.plan, self.index, step, samples)
            sheets.add(header, data, _draw(self.plan, step, self.bound.model))

    @property
    def kept(self) -> Sequence[Kept]:
        """What pruning has left at each step; empty where nothing is pruned."""
        return self.chain.kept if isinstance(self.chain, Chain) else ()

    def record(self, seconds: float) -> Record:
        """Return the record of the batch after its last step."""
        shown = self._twins.evaluations if self._twins else 0
        evaluations = (self.evaluated, self.companions.evaluations, self.studied, shown)
        facts = _facts(self.plan, self.index, self.bound, evaluations, seconds)
        studies = self.studies.arrays() if self.studies else {}
        labels, values = self.chain.label.cpu().numpy(), _values(self.chain, self._tables)
        return Record(facts, self._moments(), labels, values, studies)

    def _moments(self) -> dict[str, Moments]:
        plan, chain, has_companions = self.plan, self.chain, self.plan.companion_share > 0
        truths = (chain.truth if isinstance(chain, ComplementChain) else chain.label).cpu().numpy()
        weights = integral_weights(plan.sigmas, plan.edges) if has_companions else None
        moments = {}
        for index, (key, table) in enumerate(self._tables.items()):
            sums = None
            if weights is not None:
                table.integrate(weights)
                sums = self.companions.sums(index, table, truths, plan.num_truths)
            whole = table.moments(truths, plan.num_truths, sums)
            # The means of a complement run's controls are not known: it does without their sums.
            moments[key] = whole.uncontrolled() if is_complement_run(plan.spec) else whole
        return moments


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
    samples = [{"label": label, "posterior": p} for label, p in zip(labels, posterior, strict=True)]
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


def _values(
    chain: Chain | ComplementChain, tables: Mapping[str, CurveTable]
) -> dict[str, NDArray[np.float32]]:
    """Return what a record keeps of every trajectory; nothing where that is too much."""
    if isinstance(chain, ComplementChain):
        values = _complement_values(chain, tables)
    else:
        values = {key: table.kept() for key, table in tables.items()}
    too_large = sum(array.nbytes for array in values.values()) > VALUES_LIMIT_BYTES
    return {} if too_large else values


def _complement_values(
    chain: ComplementChain, tables: Mapping[str, CurveTable]
) -> dict[str, NDArray[np.float32]]:
    """Return every trajectory's values in the curve it counts for, and which class that is."""
    values = next(iter(tables.values())).kept()
    for table in tables.values():
        kept = table.kept()
        values = np.where(np.isfinite(kept), kept, values)
    return {PAIRS: values, PAIR: chain.classes.cpu().numpy().astype(np.float32)}


def _facts(
    plan: Plan, index: int, bound: LoadedModel, evaluations: Sequence[int], seconds: float
) -> dict[str, Any]:
    """Args: evaluations: of the curves, their companions, the studies and twin previews."""
    first, size = plan.batches[index]
    curves = size * plan.labels_evaluated * len(plan.sigmas)
    depth = plan.companion_depth(range(first, first + size))
    levels = [(depth > d).sum() * len(at) for d, at in enumerate(plan.companion_levels)]
    curves += int(sum(levels)) * plan.labels_evaluated
    _, _, studied, shown = evaluations
    return {
        "batch": index,
        "first": first,
        "trajectories": size,
        "evaluations": sum(evaluations),
        "evaluations_full": curves + studied + (plan.preview_evaluations if shown else 0),
        "seconds": seconds,
        "device": device_name(bound.device),
        "versions": versions(),
        "weights_hash": bound.info.weights_hash,
        "data": _data_facts(plan, bound),
        "micro_batches": bound.calls,
    }


def _data_facts(plan: Plan, bound: LoadedModel) -> dict[str, str] | None:
    """Return where data paths came from; None on paths of the model."""
    data = bound.info.data
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
