"""How often the bands of default runs hold the truth, and how large the errors are.

    python tests/benchmarks/coverage.py --seeds 40
    python tests/benchmarks/coverage.py --seeds 20 --truth tests/data/fashion_mnist_curves.json

Six mixtures with exact truth (four on a line, unequal priors, five in three dimensions, a pair in
64 and in 1000 dimensions, a tree), 32 and 64 noise levels, 256 trajectories, all else by default;
or the bundled network against curves of many trajectories. The band is 1.96 standard errors and the
error of the steps. Levels count where the true entropy is between 10 % and 90 % of its bound;
window values have one chance a run. `--companions 0` is the way without companions.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from entroscope_workers import measure
from entroscope_workers.library.registry import load_model
from entroscope_workers.numerics.mixtures import Mixture

Array = NDArray[np.float64]
BITS = 1 / math.log(2)
LINE = [[-8.0], [-4.0], [6.0], [8.0]]
MIXTURES: dict[str, dict[str, Any]] = {
    "four on a line": {"kind": "points", "means": LINE, "std": 1.0},
    "unequal priors": {"kind": "points", "means": LINE, "std": 0.5, "priors": [55, 5, 30, 10]},
    "five in 3-D": {"kind": "random", "components": 5, "dimension": 3, "spread": 4, "seed": 3},
    "pair in 64-D": {"kind": "pair", "dimension": 64},
    "pair in 1000-D": {"kind": "pair", "dimension": 1000},
    "tree": {"kind": "tree"},
}
#: Kept back while settings were chosen.
KEPT_BACK: dict[str, dict[str, Any]] = {
    "seven in 5-D": {"kind": "random", "components": 7, "dimension": 5, "spread": 3, "seed": 11},
    "three on a line": {"kind": "points", "means": [[-3.0], [0.5], [9.0]], "priors": [2, 5, 3]},
}
WINDOW = ("sigma_peak", "sigma_low", "sigma_high")


def sampled_truth(mixture: Mixture, sigmas: Array, samples: int = 400_000) -> tuple[Array, Array]:
    """Return entropy and production in bits by the exact posterior at exact samples."""
    stream = torch.Generator().manual_seed(1)
    labels = torch.multinomial(mixture.prior, samples, replacement=True, generator=stream)
    noise = torch.randn(samples, mixture.means.shape[1], generator=stream, dtype=torch.float64)
    entropy, production = [], []
    for sigma in sigmas:
        x = mixture.means[labels] + math.hypot(mixture.std, sigma) * noise
        posterior = mixture.log_posterior(x, float(sigma)).exp()
        mean = posterior @ mixture.means
        share = sigma**2 / (mixture.std**2 + sigma**2)  # D_z - D_y = share (m_z - m_y)
        spread = posterior @ mixture.means.square().sum(1) - mean.square().sum(1)
        entropy.append(BITS * float(torch.special.entr(posterior).sum(1).mean()))
        production.append(BITS * share**2 / sigma**2 * float(spread.mean()))
    return np.array(entropy), np.array(production)


def window_of(sigmas: Array, production: Array) -> dict[str, float]:
    """Return peak and central 80 % of a dense curve."""
    logs = np.log(sigmas)
    area = np.concatenate(
        [[0], np.cumsum(0.5 * (production[1:] + production[:-1]) * -np.diff(logs))]
    )
    high, low = np.interp([0.1, 0.9], area / area[-1], logs)
    peak = logs[np.argmax(production)]
    return dict(zip(WINDOW, np.exp([peak, low, high]).tolist(), strict=True))


def mixture_truth(model: Any, result: dict[str, Any]) -> tuple[Array, Array, dict[str, float]]:
    """Return true entropy and production at the levels of a result, and its true window."""
    sigmas, curve = np.array(result["sigma"]), result["curves"]["classes"]
    if exact := curve["exact"]:
        times = -np.log(exact["sigma"])
        at = [np.interp(-np.log(sigmas), times, exact[name]) for name in ("entropy", "production")]
        return at[0], at[1], window_of(np.array(exact["sigma"]), np.array(exact["production"]))
    mixture = model.bind(result["spec"]["params"], result["labels"]).exact
    entropy, production = sampled_truth(mixture, sigmas)
    dense = np.geomspace(sigmas[0], sigmas[-1], 120)
    return entropy, production, window_of(dense, sampled_truth(mixture, dense, 100_000)[1])


def file_truth(path: Path, result: dict[str, Any]) -> tuple[Array, Array, dict[str, float]]:
    kept = json.loads(path.read_text())
    times, at = -np.log(kept["sigma"]), -np.log(result["sigma"])
    entropy, production = (np.interp(at, times, kept[name]) for name in ("entropy", "production"))
    return entropy, production, window_of(np.array(kept["sigma"]), np.array(kept["production"]))


class Tally:
    """Hits and errors of many runs of one case."""

    def __init__(self) -> None:
        self.hits: dict[str, list[Array]] = {}
        self.off: dict[str, list[Array]] = {}
        self.widest = 0.0

    def add(self, result: dict[str, Any], truth: tuple[Array, Array, dict[str, float]]) -> None:
        curve = result["curves"]["classes"]
        middle = (truth[0] > 0.1 * curve["bound"]) & (truth[0] < 0.9 * curve["bound"])
        for name, true in zip(("entropy", "production"), truth[:2], strict=True):
            best, error = (np.array(curve[f"{name}_combined{end}"]) for end in ("", "_se"))
            steps = np.array(curve.get(f"{name}_combined_step_error", np.zeros_like(best)))
            off = np.abs(best - true)
            self._add(name, (off <= 1.96 * error + steps)[middle], off)
            if name == "entropy":
                self.widest = max(self.widest, float(steps.max()))
        (window,) = (w for w in result["windows"] if w["curve"] == "classes")
        for name in WINDOW:
            value, error = window[name], window[f"{name}_error"]
            apart = math.fabs(math.log(value / truth[2][name]))
            self._add(
                name, np.array([apart <= 1.96 * (error or math.inf) / value]), np.array([apart])
            )

    def _add(self, name: str, hits: NDArray[np.bool_], off: Array) -> None:
        self.hits.setdefault(name, []).append(hits.astype(float))
        self.off.setdefault(name, []).append(off)

    def row(self) -> str:
        cells = []
        for name, hits in self.hits.items():
            rms = math.sqrt(np.mean(np.square(self.off[name])))
            cells.append(f"{np.concatenate(hits).mean():.3f} ({rms:.4f})")
        return " | ".join(cells) + f" | {self.widest:.3f}"


def runs(model: Any, spec: dict[str, Any], seeds: range) -> Iterator[dict[str, Any]]:
    for seed in seeds:
        yield measure(model, {"previews": None, **spec, "seed": seed})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--trajectories", type=int, default=256)
    parser.add_argument("--companions", type=float, help="their share; the default where left out")
    parser.add_argument("--steps", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--truth", type=Path, help="curves of the network, instead of mixtures")
    parser.add_argument("--kept-back", action="store_true", help="the mixtures kept from tuning")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    common: dict[str, Any] = {"trajectories": options.trajectories}
    if options.companions is not None:
        common["companions"] = options.companions
    name = "fashion-mnist" if options.truth else "gaussian-mixture"
    model = load_model(name, torch.device("cpu"))
    cases = KEPT_BACK if options.kept_back else MIXTURES
    print("coverage (rms error): entropy | production | peak | low | high | widest step error")
    for title, params in {name: {}}.items() if options.truth else cases.items():
        for steps in options.steps:
            tally, truth = Tally(), None
            spec = {**common, "params": params, "schedule": {"steps": steps}}
            for result in runs(model, spec, seeds):
                if truth is None:
                    path = options.truth
                    truth = file_truth(path, result) if path else mixture_truth(model, result)
                tally.add(result, truth)
            print(f"{title}, {steps} steps: {tally.row()}", flush=True)


if __name__ == "__main__":
    main()
