"""Precision for the price: the papers' way and ours side by side, against the truth.

The papers' way evaluates every class at each of 64 levels for 3000 trajectories, takes the entropy
of the posterior and finite differences of it. Ours spends a share of those evaluations: a pilot
places the levels, pruning drops decided classes, control variates take the noise out.

    python tests/benchmarks/precision.py
    python tests/benchmarks/precision.py --make-truth tests/data/fashion_mnist_curves.json
    python tests/benchmarks/precision.py --truth tests/data/fashion_mnist_curves.json
"""

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from entroscope.measurement.mixtures.params import mixture_params, mixture_schedule
from entroscope.measurement.plan.pilot import spec_from_pilot
from entroscope_workers import measure
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.base import Model
from entroscope_workers.numerics.mixtures import Mixture, line_truth, pair_entropy, pair_production

Array = NDArray[np.float64]
BITS = 1 / math.log(2)

#: Components three by three on circles: a decision among far ones, then one among near ones.
ANGLES = np.arange(3) * 2 * np.pi / 3
CIRCLES = [[30 * f(a) + 3 * f(b) for f in (np.cos, np.sin)] for a in ANGLES for b in ANGLES]
MIXTURES: dict[str, dict[str, Any]] = {
    "four on a line": {"kind": "points", "means": [[-8], [-4], [6], [8]], "std": 0.5},
    "pair, 64 dimensions": {"kind": "pair", "dimension": 64},
    "ten at random": {"kind": "random", "components": 10, "dimension": 16, "spread": 2},
    "two scales": {"kind": "points", "means": [[float(v) for v in m] for m in CIRCLES], "std": 0.5},
}
#: The papers' grid: steps, and for networks the ends.
PAPER_STEPS, PAPER_ENDS = 64, {"sigma_max": 80, "sigma_min": 0.002}
PILOT = {"trajectories": 24, "steps": 16}
#: Ours: one part in so many of the evaluations, on so many placed levels, pruned below this.
SHARE, PLACED, PRUNE_BELOW = 20, 30, 3e-4
#: Trajectories that tell how many pairs pruning leaves on the placed grid; the first of the run.
FIRST = 32
#: Levels at which errors are looked for, and samples a level where the truth is sampled.
LEVELS, SAMPLES = 160, 40_000


@dataclass(frozen=True, slots=True)
class Truth:
    """Entropy and production, in bits, at many levels."""

    sigmas: Array
    entropy: Array
    production: Array


@dataclass(frozen=True, slots=True)
class Way:
    """What one way found and what it took."""

    sigmas: Array
    entropy: Array
    production: Array
    evaluations: int
    seconds: float

    def errors(self, truth: Truth) -> tuple[float, float]:
        """Return the largest errors of entropy and production, drawn as lines over ln sigma."""
        place, known = -np.log(truth.sigmas), -np.log(self.sigmas)
        entropy = np.interp(place, known, self.entropy) - truth.entropy
        production = np.interp(place, known, self.production) - truth.production
        return float(np.abs(entropy).max()), float(np.abs(production).max())


def papers_way(model: Model, spec: dict[str, Any], trajectories: int) -> Way:
    """All classes at 64 levels; production is the finite difference of the entropy."""
    schedule = {**spec["schedule"], "steps": PAPER_STEPS}
    found = timed(model, spec | {"schedule": schedule, "trajectories": trajectories})
    entropy = found.array("entropy")
    slope = np.gradient(entropy, np.log(found.sigmas))
    return Way(found.sigmas, entropy, slope, found.evaluations, found.seconds)


def our_way(model: Model, spec: dict[str, Any], budget: int, steps: int, prune: float) -> Way:
    """A pilot, placed levels, pruning and control variates, for at most `budget` evaluations."""
    schedule = {**spec["schedule"], "steps": PILOT["steps"]}
    few = {"schedule": schedule, "trajectories": PILOT["trajectories"], "seed": spec["seed"] + 999}
    pilot = timed(model, spec | few)
    placed = spec | {"schedule": spec_from_pilot(pilot.result, steps)["schedule"]}
    # At this price the noise of companions costs more than the error of the steps on placed levels.
    placed |= {"prune_below": prune, "companions": 0}
    first = timed(model, placed | {"trajectories": FIRST})
    price = first.evaluations / FIRST
    trajectories = int((budget - pilot.evaluations) / price * 0.97)  # the price is a sample's
    found = timed(model, placed | {"trajectories": max(FIRST, trajectories)})
    return Way(
        found.sigmas,
        found.array("entropy_combined"),
        found.array("production_combined"),
        pilot.evaluations + found.evaluations,
        pilot.seconds + found.seconds,
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of all classes, and how long it took."""

    result: dict[str, Any]
    seconds: float

    @property
    def sigmas(self) -> Array:
        return np.array(self.result["sigma"])

    @property
    def evaluations(self) -> int:
        return int(self.result["provenance"]["evaluations"])

    def array(self, name: str) -> Array:
        return np.array(self.result["curves"]["classes"][name], dtype=np.float64)


def timed(model: Model, spec: dict[str, Any]) -> Measured:
    started = time.perf_counter()
    result = measure(model, {"previews": None, "companions": 0, **spec})
    return Measured(result, time.perf_counter() - started)


def mixture_truth(params: dict[str, Any], mixture: Mixture, sigmas: Array) -> Truth:
    """Return the exact curves; where no formula is at hand by sampling the exact marginal."""
    if params["kind"] == "pair":
        r = np.sqrt(params["dimension"] / (1 + sigmas**2))
        pairs = [(pair_entropy(x), pair_production(x, s)) for x, s in zip(r, sigmas, strict=True)]
    elif mixture.means.shape[1] == 1:
        pairs = [line_truth(mixture, float(sigma)) for sigma in sigmas]
    else:
        pairs = _sampled(mixture, sigmas)
    entropy, production = BITS * np.array(pairs).T
    return Truth(sigmas, entropy, production)


def _sampled(mixture: Mixture, sigmas: Array) -> list[tuple[float, float]]:
    """Average the exact posterior over states of the exact marginal, every class as often."""
    stream = torch.Generator().manual_seed(1)
    own = torch.arange(SAMPLES) % len(mixture.means)
    noise = torch.randn(SAMPLES, mixture.means.shape[1], generator=stream, dtype=torch.float64)
    lengths, found = mixture.means.square().sum(1), []
    for sigma in sigmas:
        width = math.hypot(mixture.std, sigma)
        p = mixture.log_posterior(mixture.means[own] + width * noise, float(sigma)).exp()
        spread = p @ lengths - (p @ mixture.means).square().sum(1)  # of the means
        production = sigma**2 / width**4 * float(spread.mean())
        found.append((float(torch.special.entr(p).sum(1).mean()), production))
    return found


def file_truth(path: Path) -> Truth:
    """Return the curves of a file that `--make-truth` wrote."""
    kept = json.loads(path.read_text())
    return Truth(*(np.array(kept[name]) for name in ("sigma", "entropy", "production")))


def make_truth(model: Model, path: Path, trajectories: int, steps: int) -> None:
    """Write the combined curves of many trajectories on a fine grid, as a small file."""
    schedule = {**PAPER_ENDS, "steps": steps}
    found = timed(model, {"schedule": schedule, "trajectories": trajectories, "seed": 12345})
    kept: dict[str, Any] = {"trajectories": trajectories, "sigma": found.result["sigma"]}
    kept["weights_hash"] = model.info.weights_hash
    for name in ("entropy", "production"):
        kept[name] = [round(float(v), 6) for v in found.array(f"{name}_combined")]
        kept[f"{name}_se"] = [round(float(v), 6) for v in found.array(f"{name}_combined_se")]
    path.write_text(json.dumps(kept) + "\n")
    per = 1000 * found.seconds / found.evaluations
    print(
        f"{path}: {found.evaluations:,} evaluations, {found.seconds:.0f} s ({per:.2f} s per 1000)"
    )


def compare(name: str, model: Model, spec: dict[str, Any], truth: Truth, o: Any) -> None:
    """Print both ways, each the mean over repeats with other seeds."""
    ways: dict[str, list[tuple[float, ...]]] = {"papers": [], "ours": []}
    for seed in range(o.repeats):
        seeded = {**spec, "seed": 10 * seed}
        theirs = papers_way(model, seeded, o.trajectories)
        budget = theirs.evaluations // o.share
        ours = our_way(model, seeded, budget, o.levels, o.prune_below)
        for key, way in (("papers", theirs), ("ours", ours)):
            ways[key].append((way.evaluations, way.seconds, *way.errors(truth)))
    for key, rows in ways.items():
        evaluations, seconds, entropy, production = np.mean(rows, axis=0)
        print(
            f"{name:22s} {key:7s} {evaluations:12,.0f} {seconds:8.1f} {entropy:10.4f} "
            f"{production:10.4f}",
            flush=True,
        )


def main() -> None:
    o = _parser().parse_args()
    if o.make_truth:
        model = load_model("fashion-mnist", torch.device(o.device))
        make_truth(model, o.make_truth, o.truth_trajectories, o.truth_steps)
        return
    print(f"{'':22s} {'way':7s} evaluations  seconds  entropy off (bits)  production off")
    if o.truth:
        model = load_model("fashion-mnist", torch.device(o.device))
        compare("fashion-mnist", model, {"schedule": PAPER_ENDS}, file_truth(o.truth), o)
        return
    family = load_model("gaussian-mixture", torch.device(o.device))
    for name in o.mixtures:
        params = MIXTURES[name]
        bound: Any = family.bind(params, ())
        ends = mixture_schedule(mixture_params(params))
        sigmas = np.geomspace(ends.sigma_max, ends.sigma_min, LEVELS)
        truth = mixture_truth(params, bound.exact, sigmas)
        compare(name, family, {"params": params, "schedule": {}}, truth, o)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mixtures", nargs="*", default=list(MIXTURES), choices=list(MIXTURES))
    parser.add_argument("--trajectories", type=int, default=3000, help="of the papers' way")
    parser.add_argument(
        "--share", type=int, default=SHARE, help="our price is one part in this many"
    )
    parser.add_argument("--levels", type=int, default=PLACED, help="of our placed grid")
    parser.add_argument("--prune-below", type=float, default=PRUNE_BELOW)
    parser.add_argument("--repeats", type=int, default=3, help="seeds that are averaged over")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--truth", type=Path, help="compare on Fashion-MNIST with this file")
    parser.add_argument("--make-truth", type=Path, help="make that file")
    parser.add_argument("--truth-trajectories", type=int, default=4000)
    parser.add_argument("--truth-steps", type=int, default=128)
    return parser


if __name__ == "__main__":
    main()
