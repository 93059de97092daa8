"""Print what each model costs on a device: its bare network, a run, the previews.

    python tests/benchmarks/families.py                        bundled and installed models
    python tests/benchmarks/families.py --models my/models.toml --device cuda
    python tests/benchmarks/families.py --full --device cuda             full size, random weights

For each model: evaluations a second of bare `denoise` at its best call size; floating-point
operations of one evaluation (counted), as a share of what a large matrix product reaches on the
device in the dtype of the network; evaluations a second of `run_batch`, with and without previews
(the three alternate, so that a busy machine slows all alike; the best of each counts); memory.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from entroscope.measurement.plan.bound import bind_params
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec
from entroscope_workers.commands.run import find_device
from entroscope_workers.library.probe import probed
from entroscope_workers.library.registry import load_entry, load_models
from entroscope_workers.models.base import Model
from entroscope_workers.models.entry import Entry
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import device_name, run_batch

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from full_size import FULL_SIZE

AIM_RATIO, AIM_PREVIEWS = 0.97, 0.02


def ceiling(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """Return the floating-point operations a second of a large matrix product."""
    a = torch.randn((size, size), device=device).to(dtype)
    best = 0.0
    for _ in range(5):
        started = time.perf_counter()
        (a @ a)[0, 0].item()
        best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


@torch.inference_mode()
def flops(model: Model) -> int:
    """Return the floating-point operations of one evaluation, as torch counts them."""
    bound = model.bind({}, bind_params(model.info, {}).labels)
    x = torch.zeros((1, *bound.info.shape), dtype=bound.dtype, device=bound.device)
    sigma = torch.ones(1, dtype=torch.float64, device=bound.device)
    place = torch.zeros(1, dtype=torch.int64, device=bound.device)
    with FlopCounterMode(display=False) as counter:
        bound.denoise(x, sigma, place, place)
    return int(counter.get_total_flops())


def plan_of(info: ModelInfo, o: argparse.Namespace, *, previews: bool) -> Plan:
    """Return a run of one batch that takes about so many seconds, with so many labels at most."""
    labels = bind_params(info, {}).labels[: o.labels]
    groups = [{"name": f"{place} {label}", "labels": [place]} for place, label in enumerate(labels)]
    affordable = int(o.seconds * (info.pairs_per_second or 1) / (len(labels) * o.steps))
    size = max(2, min(affordable, info.batch_sizes.largest))
    glimpses = {"samples": min(16, size), "decode": "never", "paired": False}
    document = {
        "model": info.name,
        "partitions": {"classes": groups},
        "schedule": {"steps": o.steps},
        "trajectories": size,
        "batch_sizes": {"first": size, "largest": size},
        "previews": glimpses if previews else None,
    }
    return resolve(Spec.model_validate(document), info)


@torch.inference_mode()
def bare(loaded: LoadedModel, plan: Plan, size: int) -> float:
    """Return the evaluations a second of `denoise` alone, in calls of a size."""
    bound = loaded.model.bind(plan.spec.params, plan.labels)
    labels = torch.from_numpy(plan.columns).to(bound.device)
    count = -(-size // len(labels))
    rows = torch.arange(count, device=bound.device).repeat_interleave(len(labels))[:size]
    x = torch.randn((count, *bound.info.shape), device=bound.device, dtype=bound.dtype)
    calls = max(1, round(plan.batches[0][1] * len(labels) / size))
    started = time.perf_counter()
    for sigma in plan.sigmas:
        level = torch.full((count,), float(sigma), dtype=torch.float64, device=bound.device)
        for _ in range(calls):
            asked = bound.denoise(float(sigma) * x, level, rows, labels.repeat(count)[:size])
    asked.sum().item()  # waits for the device
    return size * calls * len(plan.sigmas) / (time.perf_counter() - started)


def run(model: LoadedModel, plan: Plan) -> float:
    """Return the evaluations a second of the batch."""
    started = time.perf_counter()
    for _ in run_batch(plan, 0, model):
        pass
    return plan.evaluations / (time.perf_counter() - started)


def show(model: Model, o: argparse.Namespace) -> None:
    device = model.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    loaded, info = probed(model)
    with_, without = (plan_of(info, o, previews=previews) for previews in (True, False))
    sizes = sorted({min(loaded.sizes.call, 4**power) for power in range(8)})
    bares, runs = dict.fromkeys(sizes, 0.0), {True: 0.0, False: 0.0}
    for _ in range(o.repeats):
        for size in sizes:
            bares[size] = max(bares[size], bare(loaded, without, size))
        runs = {True: max(runs[True], run(loaded, with_)), False: runs[False]}
        runs[False] = max(runs[False], run(loaded, without))
    best = max(bares, key=lambda size: bares[size])
    print(f"\n{info.title}: shape {info.shape}, {len(without.columns)} labels, {o.steps} levels")
    print(f"  bare network   {bares[best]:12.4g} evaluations/s, calls of {best}")
    print(f"  run            {runs[False]:12.4g} evaluations/s, {without.batches[0][1]} samples")
    print(f"  run over bare  {runs[False] / bares[best]:12.3f} (aim {AIM_RATIO})")
    cost = runs[False] / runs[True] - 1
    print(f"  previews cost  {cost:12.1%} of a batch that has them (aim {AIM_PREVIEWS:.0%})")
    print(f"  operations     {flops(model) / 1e9:12.4g} GFLOP an evaluation", end="")
    print(f", {flops(model) * bares[best] / o.ceiling:.1%} of the ceiling at the best call")
    if device.type == "cuda":
        print(
            f"  memory         {torch.cuda.max_memory_allocated(device) / 2**30:12.3g} GiB at most"
        )


def full_size(names: Sequence[str], folder: Path, device: torch.device) -> list[Model]:
    entries: list[Entry] = [FULL_SIZE[name](folder / name) for name in names or FULL_SIZE]
    return [load_entry(entry, device) for entry in entries]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="*", help="as for `entroscope work`")
    parser.add_argument("--full", nargs="*", choices=list(FULL_SIZE), help="default: each of them")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--labels", type=int, default=16, help="at most, of those a model has")
    parser.add_argument("--seconds", type=float, default=10.0, help="of one batch, about")
    parser.add_argument("--repeats", type=int, default=3)
    o = parser.parse_args()
    device = find_device(o.device)
    dtype = torch.float32 if device.type == "cpu" else torch.float16
    o.ceiling = ceiling(device, dtype, 2048 if device.type == "cpu" else 16384)
    print(f"{device_name(device)}: matrix product {o.ceiling / 1e12:.3g} TFLOP/s in {dtype}")
    with tempfile.TemporaryDirectory() as folder:
        if o.full is None:
            models = list(load_models(o.models, device).values())
        else:
            models = full_size(o.full, Path(folder), device)
        for model in models:
            show(model, o)


if __name__ == "__main__":
    main()
