"""Many classes: what pruning and placed levels leave of the pairs, and what they cost in bits.

The price is in parts of all classes at every level of the papers' grid (64 levels, sigma 80 to
0.002, rho 7). A pilot of 16 trajectories, whose price is counted, places the levels.

    python tests/benchmarks/pruning.py
    python tests/benchmarks/pruning.py --model fashion-mnist --prune-below 1e-3 --levels 24
"""

import argparse
import math
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from entroscope.measurement.plan.pilot import spec_from_pilot
from entroscope_workers import measure
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.base import Model
from entroscope_workers.numerics.mixtures import Mixture

Array = NDArray[np.float64]
PAPER = {"steps": 64, "sigma_max": 80, "sigma_min": 0.002, "rho": 7}
#: 1000 components in 64 dimensions, means with deviation 4 in every coordinate, deviation 1.
PARAMS = {"kind": "random", "components": 1000, "dimension": 64, "spread": 4, "std": 1}
PILOT = {"trajectories": 16, "schedule": PAPER | {"steps": 16}, "seed": 999}
BITS = 1 / math.log(2)


def run(model: Model, spec: dict[str, Any]) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    result = measure(model, {"previews": None, **spec})
    return result, time.perf_counter() - started


def entropy(result: dict[str, Any], name: str = "entropy") -> Array:
    return np.array(result["curves"]["classes"][name], dtype=np.float64)


def evaluations(result: dict[str, Any]) -> int:
    return int(result["provenance"]["evaluations"])


def exact_entropy(mixture: Mixture, sigmas: list[float], samples: int) -> Array:
    """Return H by the exact posterior of states of the exact marginal, in bits."""
    stream, found = torch.Generator().manual_seed(1), []
    own = torch.arange(samples) % len(mixture.means)
    noise = torch.randn(samples, mixture.means.shape[1], generator=stream, dtype=torch.float64)
    for sigma in sigmas:
        x = mixture.means[own] + math.hypot(mixture.std, sigma) * noise
        parts = (x[start : start + 500] for start in range(0, samples, 500))
        posteriors = (mixture.log_posterior(part, sigma).exp() for part in parts)
        found.append(sum(float(torch.special.entr(p).sum()) for p in posteriors) / samples)
    return BITS * np.array(found)


def print_row(
    name: str, own: tuple[dict[str, Any], float], whole: Any, price: float, o: Any
) -> None:
    """Print one line; `whole` has the same paths without pruning, or is None."""
    result, seconds = own
    pruning = result["curves"]["classes"]["pruning"]
    bound = 0.0 if pruning is None else max(pruning["entropy_bound"])
    moved = 0.0 if whole is None else float(np.abs(entropy(result) - entropy(whole)).max())
    line = f"{name:30s} {price:7.3f} {seconds:8.1f} {bound:8.4f} {moved:8.4f}"
    if o.mixture is not None:
        truth = exact_entropy(o.mixture, result["sigma"], o.samples)
        for kind in ("", "_combined"):
            off = np.abs(entropy(result, f"entropy{kind}") - truth)
            worst = int(off.argmax())
            error = entropy(result, f"entropy{kind}_se")[worst]
            line += f"  {off[worst]:.4f} (se {error:.4f})"
    print(line, flush=True)


def compare(model: Model, spec: dict[str, Any], o: Any) -> None:
    pilot, _ = run(model, spec | PILOT)
    whole, seconds = run(model, spec | {"schedule": PAPER})
    full = evaluations(whole)
    print_row("papers' grid, all classes", (whole, seconds), None, 1.0, o)
    pruned = run(model, spec | {"schedule": PAPER, "prune_below": o.prune_below})
    print_row("papers' grid, pruned", pruned, whole, evaluations(pruned[0]) / full, o)
    # The pilot is paid once, by 3000 trajectories.
    extra = evaluations(pilot) / (3000 * full / spec["trajectories"])
    for levels in o.levels:
        placed = spec | {"schedule": spec_from_pilot(pilot, levels)["schedule"]}
        plain = run(model, placed)[0]
        pruned = run(model, placed | {"prune_below": o.prune_below})
        price = evaluations(pruned[0]) / full + extra
        print_row(f"{levels} placed levels, pruned", pruned, plain, price, o)


def main() -> None:
    o = _parser().parse_args()
    model = load_model(o.model, torch.device(o.device))
    spec: dict[str, Any] = {"trajectories": o.trajectories}
    o.mixture = None
    truth = ""
    if o.model == "gaussian-mixture":
        spec["params"] = PARAMS
        bound: Any = model.bind(PARAMS, ())
        o.mixture, truth = bound.exact, "  off the truth: plain, combined"
    print(f"{'':30s} {'price':>7s} {'seconds':>8s} {'bound':>8s} {'moved':>8s}{truth}")
    compare(model, spec, o)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="gaussian-mixture")
    parser.add_argument("--trajectories", type=int, default=256)
    parser.add_argument("--levels", type=int, nargs="+", default=[12, 16, 24])
    parser.add_argument("--prune-below", type=float, default=1e-6)
    parser.add_argument("--samples", type=int, default=20_000, help="of the truth, per level")
    parser.add_argument("--device", default="cpu")
    return parser


if __name__ == "__main__":
    main()
