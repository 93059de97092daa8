"""How fast a model answers on this device, by the size of the call: a short look."""

import dataclasses
import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import BatchSizes, ModelInfo
from entroscope.protocol.spec import BatchPlan, Schedule, Spec
from entroscope_workers.models.base import DecodesLatents, Model
from entroscope_workers.sampling.call_sizes import CallSizes, is_out_of_memory
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import run_batch

#: A size is timed at least so long, and no size is begun after so long, in seconds.
LOOK_S, ENOUGH_S = 0.1, 1.5
#: A first call, which allocates, is not looked at unless it takes so long, in seconds.
COLD_S = 10.0
#: Every size is so many times the one before.
GROWTH = 4
#: Labels that are looked at, and the largest call that is tried, on a processor and a GPU.
LABELS, LARGEST, LARGEST_GPU = 64, 1024, 16384
#: From this rate on, in evaluations a second, a chain's own work counts: a batch is timed instead.
QUICK = 2e4
#: That batch: few steps, since all are alike, and as many trajectories as take about so long.
QUICK_TRAJECTORIES, QUICK_STEPS, QUICK_S = 512, 16, 0.5
#: A batch on a GPU should not last longer: it is lost with its worker, and cannot be taken over.
BATCH_S, TRAJECTORIES_GPU = 5.0, 1024


@dataclass(frozen=True, slots=True)
class Probe:
    """What the look has shown.

    Attributes:
        rates: evaluations a second by the size of the call.
        complete: whether larger calls are known to be slower, or were refused.
    """

    rates: dict[int, float]
    complete: bool

    @property
    def best(self) -> int:
        """The size of the call that is answered fastest."""
        return max(self.rates, key=lambda size: self.rates[size])

    @property
    def evaluations_per_second(self) -> float:
        return self.rates[self.best]


def probed(model: Model | LoadedModel) -> tuple[LoadedModel, ModelInfo]:
    """Return the model with calls of a good size, and what to announce of it."""
    loaded = LoadedModel.of(model)
    look = probe(loaded.model)
    sizes = CallSizes.measured(look.rates, loaded.model, complete=look.complete)
    loaded = dataclasses.replace(loaded, sizes=sizes)
    rate = look.evaluations_per_second
    if rate > QUICK and len(bind_params(loaded.info, {}).labels) > 1:
        rate = _chain_rate(loaded, rate)
    info = loaded.info.model_copy(
        update={
            "pairs_per_second": float(f"{rate:.3g}"),
            "decodes": isinstance(loaded.model, DecodesLatents),
            "batch_sizes": _batch_sizes(loaded.model, look),
        }
    )
    return loaded, info


@torch.inference_mode()
def probe(model: Model) -> Probe:
    """Ask for one evaluation, four, sixteen, ... until that is no faster, too slow or too large.

    Raises:
        ValueError: not even one evaluation fits the device.
    """
    defaults = bind_params(model.info, {})
    labels, bound = defaults.labels, model.bind(defaults.params, defaults.labels)
    most = LARGEST if model.device.type == "cpu" else LARGEST_GPU
    rates: dict[int, float] = {}
    started, size, refused = time.perf_counter(), 1, False
    while size <= most and _is_rising(rates) and _has_time(rates, size, started):
        try:
            rates[size] = _rate(bound, size, min(len(labels), LABELS))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if not rates:
                raise ValueError(f"model {model.info.name!r} does not fit: {error}") from None
            refused = True
            break
        size *= GROWTH
    # Where the largest size tried was the best, it ran out of time or sizes: more might be faster.
    complete = refused or max(rates, key=lambda tried: rates[tried]) != max(rates)
    return Probe(rates, complete)


def _has_time(rates: dict[int, float], size: int, started: float) -> bool:
    """Return whether to try a size: three of them even on a machine that is busy just now."""
    if time.perf_counter() - started < ENOUGH_S or not rates:
        return True
    return len(rates) < 3 and size / rates[size // GROWTH] < ENOUGH_S


def _is_rising(rates: dict[int, float]) -> bool:
    """Return whether one of the last two sizes was markedly faster than all before them."""
    tried = list(rates.values())
    return len(tried) < 3 or max(tried[-2:]) > 1.05 * max(tried[:-2])


def _rate(model: Model, size: int, num_labels: int) -> float:
    """Return the evaluations a second of calls of a size, label after label, row after row."""
    index = torch.arange(size, device=model.device)
    rows, labels = index // num_labels, index % num_labels
    count = math.ceil(size / num_labels)
    x = torch.zeros((count, *model.info.shape), dtype=model.dtype, device=model.device)
    sigma = torch.ones(count, dtype=torch.float64, device=model.device)
    started = time.perf_counter()
    _answered(model, x, sigma, rows, labels)  # the first call allocates
    if (elapsed := time.perf_counter() - started) > COLD_S:
        return size / elapsed
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < LOOK_S or not done:
        _answered(model, x, sigma, rows, labels)
        done += size
    return done / elapsed


def _chain_rate(model: LoadedModel, rate: float) -> float:
    """Return the evaluations a second of a whole batch: noise, scores and values included."""
    labels = len(bind_params(model.info, {}).labels)
    count = max(1, min(QUICK_TRAJECTORIES, int(QUICK_S * rate / (labels * QUICK_STEPS))))
    spec = Spec(
        model=model.info.name,
        trajectories=count,
        schedule=Schedule(steps=QUICK_STEPS),
        previews=None,
        batch_sizes=BatchPlan(first=count, largest=count),
    )
    plan = resolve(spec, model.info)
    started = time.perf_counter()
    for _ in run_batch(plan, 0, model):
        pass
    return plan.evaluations / (time.perf_counter() - started)


def _answered(model: Model, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> None:
    model.denoise(x, sigma, rows, labels).sum().item()  # .item() waits for the device


def _batch_sizes(model: Model, look: Probe) -> BatchSizes:
    """Return the model's own sizes; on a GPU batches are large enough to fill it, if that is quick.

    A power of two, so that workers on like devices announce the same.
    """
    sizes = model.info.batch_sizes
    if model.device.type == "cpu":
        return sizes
    labels = max(1, len(bind_params(model.info, {}).labels))
    quick = BATCH_S * look.evaluations_per_second / (labels * model.info.schedule.steps)
    wanted = min(TRAJECTORIES_GPU, look.best / labels, quick)
    largest = max(sizes.largest, 2 ** math.ceil(math.log2(wanted)))
    return sizes.model_copy(update={"largest": largest})
