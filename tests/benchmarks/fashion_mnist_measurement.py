"""Does a measurement of the bundled Fashion-MNIST model agree with itself? Figures b).

    python tests/benchmarks/fashion_mnist_measurement.py

Prints, at 32 and 64 steps, the entropy, the cross-entropy, their paired difference in standard
errors and the production at every noise level; then how far the integral of the production misses
the fall of the entropy.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope_workers import measure
from entroscope_workers.models.families.fashion_mnist import load

Curve = dict[str, Any]


def main() -> None:
    options = _parser().parse_args()
    model = load(path=options.checkpoint)
    for steps in options.steps:
        begin = time.monotonic()
        result = measure(model, spec(steps, options.trajectories, options.seed))
        seconds = time.monotonic() - begin
        curve = result["curves"]["classes"]
        print(f"\n{steps} steps, {options.trajectories} trajectories, {seconds:.0f} s")
        print_curve(result["sigma"], curve)
        sigma = np.array(result["sigma"])
        in_ln_sigma = missing_bits(sigma, curve)
        in_precision = missing_bits_by_precision(sigma, curve)
        print(f"integral of production misses the fall of H by {in_ln_sigma:+.4f} bits,")
        print(f"by {in_precision:+.4f} with the trapezoid rule over 1 / sigma^2")
        for check in result["checks"]:
            print(f"  {check['name']}: {check['value']} (bound {check['bound']}), {check['ok']}")


def spec(steps: int, trajectories: int, seed: int) -> dict[str, Any]:
    return {
        "schema": 1,
        "model": "fashion-mnist",
        "partitions": {"classes": None},
        "schedule": {"steps": steps, "sigma_max": 80, "sigma_min": 0.02, "rho": 7},
        "trajectories": trajectories,
        "seed": seed,
    }


def missing_bits(sigma: NDArray[np.float64], curve: Curve) -> float:
    """Return the fall of H minus the trapezoid integral of production over ln sigma."""
    production, entropy = np.array(curve["production"]), np.array(curve["entropy"])
    between = (production[1:] + production[:-1]) / 2
    return float(entropy[0] - entropy[-1] - between @ -np.diff(np.log(sigma)))


def missing_bits_by_precision(sigma: NDArray[np.float64], curve: Curve) -> float:
    """Return the same by the trapezoid rule over 1 / sigma^2, in which evidence accrues.

    production dln(sigma) = -(sigma^2 production) d(1 / sigma^2) / 2; the bracket, the disagreement
    of the denoisers, varies less than production where the posterior is still open.
    """
    disagreement, entropy = sigma**2 * np.array(curve["production"]), np.array(curve["entropy"])
    between = (disagreement[1:] + disagreement[:-1]) / 2
    return float(entropy[0] - entropy[-1] - between @ np.diff(sigma**-2) / 2)


def print_curve(sigma: list[float], curve: Curve) -> None:
    columns = ("entropy", "entropy_se", "entropy_step_error", "cross_entropy", "cross_entropy_se")
    names = (*columns, "production", "production_se")
    print("sigma " + " ".join(names) + " (bits, production per unit of ln sigma)")
    for index, level in enumerate(sigma):
        values = (curve[name][index] for name in names)
        print(f"{level:8.4f}" + "".join(f" {_number(value)}" for value in values))


def _number(value: float | None) -> str:
    return "       -" if value is None else f"{value:8.4f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", type=Path, default=None, help="default: the packaged one")
    parser.add_argument("--trajectories", type=int, default=2000)
    parser.add_argument("--steps", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
