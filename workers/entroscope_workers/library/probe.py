"""How fast a model answers on this device, and how many pairs a call should have: a short look."""

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
from entroscope_workers.sampling.call_sizes import (
    Limit,
    Portioned,
    is_out_of_memory,
    pairs_of_a_call,
)
from entroscope_workers.sampling.runner import run_batch

#: A size is timed at least so long, and no size is begun after so long, in seconds.
LOOK_S, ENOUGH_S = 0.1, 1.5
#: A first call, which allocates, is not looked at unless it takes so long, in seconds.
COLD_S = 10.0
#: Every size is so many times the one before.
GROWTH = 4
#: Labels that are looked at, and the most pairs a call is tried with, on a processor and a GPU.
LABELS, PAIRS, PAIRS_GPU = 64, 1024, 16384
#: A size is as good as the best from this share of its rate on.
AS_GOOD = 0.95
#: From this rate on, in pairs a second, a chain's own work counts: a batch of it is timed instead.
QUICK = 2e4
#: That batch: few steps, since all are alike, and as many trajectories as take about so long.
QUICK_TRAJECTORIES, QUICK_STEPS, QUICK_S = 512, 16, 0.5
#: A batch on a GPU should not last longer: it is lost with its worker, and cannot be taken over.
BATCH_S, TRAJECTORIES_GPU = 5.0, 1024


@dataclass(frozen=True, slots=True)
class Probe:
    """What the look has shown.

    Attributes:
        pairs_per_second: at the best size.
        best: pairs of a call that are answered fastest.
        largest: the most pairs of a call that are about as fast.
    """

    pairs_per_second: float
    best: int
    largest: int


def probed(model: Model) -> tuple[Portioned, ModelInfo]:
    """Return the model, asked in calls of a good size, and what to announce of it."""
    found = probe(model)
    portioned, rate = Portioned(model, Limit(found.largest)), found.pairs_per_second
    if rate > QUICK and len(bind_params(model.info, {}).labels) > 1:
        rate = _chain_rate(portioned, rate)
    info = model.info.model_copy(
        update={
            "pairs_per_second": float(f"{rate:.3g}"),
            "decodes": isinstance(model, DecodesLatents),
            "batch_sizes": _batch_sizes(model, found),
        }
    )
    return portioned, info


@torch.inference_mode()
def probe(model: Model) -> Probe:
    """Ask for one pair, four, sixteen, ... until that is no faster, too slow or too large.

    Raises:
        ValueError: not even one pair fits the device.
    """
    labels = bind_params(model.info, {}).labels
    bound = model.bind({}, labels)
    most = PAIRS if model.device.type == "cpu" else PAIRS_GPU
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
    best = max(rates, key=lambda tried: rates[tried])
    largest = max(tried for tried, rate in rates.items() if rate >= AS_GOOD * rates[best])
    if best == max(rates) and not refused:  # it ran out of time or pairs: more might be faster
        largest = max(largest, pairs_of_a_call(bound))
    return Probe(rates[best], best, largest)


def _has_time(rates: dict[int, float], size: int, started: float) -> bool:
    """Return whether to try a size: three of them even on a machine that is busy just now."""
    if time.perf_counter() - started < ENOUGH_S or not rates:
        return True
    return len(rates) < 3 and size / rates[size // GROWTH] < ENOUGH_S


def _is_rising(rates: dict[int, float]) -> bool:
    """Return whether one of the last two sizes was markedly faster than all before them."""
    tried = list(rates.values())
    return len(tried) < 3 or max(tried[-2:]) > 1.05 * max(tried[:-2])


def _rate(model: Model, pairs: int, num_labels: int) -> float:
    """Return the pairs a second of calls with so many pairs, label after label, row after row."""
    place = torch.arange(pairs, device=model.device)
    rows, labels = place // num_labels, place % num_labels
    count = math.ceil(pairs / num_labels)
    x = torch.zeros((count, *model.info.shape), dtype=model.dtype, device=model.device)
    sigma = torch.ones(count, dtype=torch.float64, device=model.device)
    started = time.perf_counter()
    _answered(model, x, sigma, rows, labels)  # the first call allocates
    if (elapsed := time.perf_counter() - started) > COLD_S:
        return pairs / elapsed
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < LOOK_S or not done:
        _answered(model, x, sigma, rows, labels)
        done += pairs
    return done / elapsed


def _chain_rate(model: Model, rate: float) -> float:
    """Return the pairs a second of a whole batch: noise, scores and values included."""
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


def _batch_sizes(model: Model, found: Probe) -> BatchSizes:
    """Return the model's own sizes; on a GPU batches are large enough to fill it, if that is quick.

    A power of two, so that workers on like devices announce the same.
    """
    own = model.info.batch_sizes
    if model.device.type == "cpu":
        return own
    labels = max(1, len(bind_params(model.info, {}).labels))
    quick = BATCH_S * found.pairs_per_second / (labels * model.info.schedule.steps)
    wanted = min(TRAJECTORIES_GPU, found.best / labels, quick)
    return own.model_copy(update={"largest": max(own.largest, 2 ** math.ceil(math.log2(wanted)))})
