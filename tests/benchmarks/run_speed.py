"""Print what a run costs beside a bare loop over the same `denoise`, and how soon a curve is there.

    python tests/benchmarks/run_speed.py [--model fashion-mnist] [--trajectories 256] [--repeats 3]

1. Pairs a second of a bare loop over `denoise` with all labels of a row, at several batch sizes.
2. Pairs a second of `run_batch` over the same schedule, previews included, in the same process.
   The two alternate, so that a busy machine slows both alike; the ratio is of their best.
3. Through the whole program: seconds from POST to the first point, to the first complete curve (the
   record of the first batch), and to the end.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from entroscope import Client
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.base import Model
from entroscope_workers.sampling.runner import run_batch

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from program import program

BATCHES = (4, 8, 16, 32, 64, 128)


@torch.inference_mode()
def bare(model: Model, plan: Plan, batch: int) -> float:
    """Return the pairs a second of a loop over `denoise` at every noise level of the plan."""
    bound = model.bind(plan.spec.params, plan.labels)
    x = torch.randn((batch, *bound.info.shape), dtype=bound.dtype)
    rows = torch.arange(batch).repeat_interleave(len(plan.columns))
    labels = torch.from_numpy(plan.columns).repeat(batch)
    bound.denoise(x, torch.ones(batch, dtype=torch.float64), rows, labels)
    started = time.perf_counter()
    for sigma in plan.sigmas:
        sigmas = torch.full((batch,), float(sigma), dtype=torch.float64)
        bound.denoise(float(sigma) * x, sigmas, rows, labels)
    return len(labels) * len(plan.sigmas) / (time.perf_counter() - started)


def run(model: Model, plan: Plan, index: int) -> float:
    """Return the pairs a second of one batch of a run."""
    started = time.perf_counter()
    for _ in run_batch(plan, index, model):
        pass
    pairs = plan.batches[index][1] * len(plan.columns) * len(plan.sigmas)
    return pairs / (time.perf_counter() - started)


def in_process(model: Model, spec: dict[str, Any], repeats: int) -> None:
    plan = resolve(Spec.model_validate(spec), model.info)
    full = max(range(len(plan.batches)), key=lambda index: plan.batches[index][1])
    loops: dict[int, float] = dict.fromkeys(BATCHES, 0.0)
    runs = {0: 0.0, full: 0.0}
    for _ in range(repeats):
        for batch in BATCHES:
            loops[batch] = max(loops[batch], bare(model, plan, batch))
        for index in runs:
            runs[index] = max(runs[index], run(model, plan, index))
    best = max(loops, key=lambda batch: loops[batch])
    print(f"\n{model.info.title}: {len(plan.columns)} labels, {len(plan.sigmas)} noise levels")
    for batch, rate in loops.items():
        print(f"  bare loop, {batch:4d} rows a call: {rate:9.0f} pairs/s")
    for index, rate in runs.items():
        first = ", first, with previews" if index == 0 else ""
        size = plan.batches[index][1]
        print(f"  run, batch of {size}{first}: {rate:9.0f} pairs/s")
    print(f"  run over bare loop at its best ({best} rows): {runs[full] / loops[best]:.3f}")


def through_the_program(spec: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with program(Path(folder), "--models", spec["model"], threads=None) as running:
            client = Client(running.address)
            started, seen = time.perf_counter(), dict[str, float]()
            for event in client.run(spec):
                seen.setdefault(event["type"], time.perf_counter() - started)
    for kind, what in (
        ("point", "the first point"),
        ("batch", "the first complete curve"),
        ("done", "the end"),
    ):
        print(f"  seconds from Run to {what}: {seen[kind]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="fashion-mnist")
    parser.add_argument("--trajectories", type=int, default=256)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    spec = {
        "model": options.model,
        "trajectories": options.trajectories,
        "schedule": {"steps": options.steps},
    }
    in_process(load_model(options.model, torch.device("cpu")), spec, options.repeats)
    through_the_program(spec)


if __name__ == "__main__":
    main()
