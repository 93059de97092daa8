"""Print how far each complement is from the truth, and at what price.

    python tests/benchmarks/complement.py                  # random mixtures, exact truth
    python tests/benchmarks/complement.py --fashion-mnist  # against the sum over all classes

Every curve is read at the pair's prior of one half and averaged over the classes. Error is the
largest over sigma, with the standard error there; a floor is the entropy at the lowest sigma.
"""

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Record
from entroscope.measurement.curves.result import result_document
from entroscope.measurement.curves.reweighting import Values, at_pair_prior
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers.commands.measure import run
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.base import Model
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture
from entroscope_workers.numerics.mixtures import Mixture

Array = NDArray[np.float64]
CPU = torch.device("cpu")
METHODS = (
    ("classes", None),
    ("rebuilt", "rebuilt"),
    ("rebuilt", "random-class"),
    ("unconditional", "unconditional"),
    ("unconditional", "rebuilt"),
    ("unconditional", "random-class"),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """The mean over the classes: entropy and its standard error, (steps,); what it took."""

    sigma: Array
    entropy: Array
    error: Array
    expected_floor: float | None
    evaluations: int
    seconds: float


def main() -> None:
    options = _parser().parse_args()
    if options.fashion_mnist:
        model = load_model("fashion-mnist", CPU)
        print(f"\nFashion-MNIST, {options.steps} steps; truth: the sum over all classes")
        compare(model, {}, options, None)
        return
    for components in options.components:
        model = load_model("gaussian-mixture", CPU)
        params = {
            "kind": "random",
            "components": components,
            "dimension": options.dimension,
            "spread": options.spread,
            "std": 1.0,
            "seed": options.seed,
        }
        print(f"\n{components} components in {options.dimension} dimensions, {options.steps} steps")
        assert isinstance(model, GaussianMixture)
        compare(model, params, options, model.bind(params, ()).exact)


def compare(
    model: Model, params: dict[str, Any], options: argparse.Namespace, exact: Mixture | None
) -> None:
    """Print one line a method: the largest error against the truth, the floor, the price."""
    print("complement     paths          error (bits)       at sigma  floor  expected  evaluations")
    truth: Array | None = None
    for complement, paths in METHODS[exact is not None and options.pairs_only :]:
        curve = measured(model, params, options, complement, paths)
        if truth is None:
            truth = curve.entropy if exact is None else exact_curve(exact, curve.sigma, options)
        off = np.abs(curve.entropy - truth)
        worst = int(off.argmax())
        expected = "-" if curve.expected_floor is None else f"{curve.expected_floor:.4f}"
        print(
            f"{complement:14} {paths or '-':14} {off[worst]:.4f} +- {curve.error[worst]:.4f} "
            f"{curve.sigma[worst]:11.3g} {curve.entropy[-1]:6.4f} {expected:>9} "
            f"{curve.evaluations:12,d} ({curve.seconds:.0f} s)"
        )


def measured(
    model: Model,
    params: dict[str, Any],
    options: argparse.Namespace,
    complement: str,
    paths: str | None,
) -> Curve:
    """Return the mean curve of a run, at the pair's prior of one half."""
    labels = len(model.info.labels) or params["components"]
    # Batches as small as keep the values of every trajectory.
    batch = max(2, min(256, 2**19 // (options.steps * labels)))
    spec = {
        "model": model.info.name,
        "params": params,
        "partitions": {"rest": "each-vs-rest"},
        "complement": complement,
        "complement_paths": paths,
        "schedule": {"steps": options.steps},
        "trajectories": max(options.trajectories, 2 * labels),
        "batch_sizes": {"first": batch, "largest": batch},
        "seed": options.seed,
        "previews": None,
    }
    plan = resolve(Spec.model_validate(spec), model.info)
    fold, begin = Fold(plan), time.monotonic()
    records = [record for record in run(plan, model, fold) if isinstance(record, Record)]
    own = result_document(fold)
    values: list[Values] = [{"labels": record.labels, **record.values} for record in records]
    curves = at_pair_prior(plan, own, values, 0.5)["curves"].values()
    floors = [curve["floor"]["expected"] for curve in own["curves"].values() if curve["floor"]]
    entropy, error = mean_over_classes(list(curves))
    return Curve(
        plan.sigmas,
        entropy,
        error,
        None if not floors or floors[0] is None else float(np.mean(floors)),
        own["provenance"]["evaluations"],
        time.monotonic() - begin,
    )


def mean_over_classes(curves: list[dict[str, Any]]) -> tuple[Array, Array]:
    """Return the mean of the curves and its standard error; one without a path on a side is out.

    A side with one path has no error: then the spread over the classes stands for it.
    """
    entropy = np.array([curve["entropy"] for curve in curves], dtype=np.float64)
    entropy = entropy[np.isfinite(entropy).all(1)]
    errors = np.array([curve["entropy_se"] for curve in curves], dtype=np.float64)
    if np.isfinite(errors).all():
        return entropy.mean(0), np.sqrt(np.square(errors).sum(0)) / len(curves)
    return entropy.mean(0), entropy.std(0, ddof=1) / np.sqrt(len(entropy))


def exact_curve(exact: Mixture, sigmas: Array, options: argparse.Namespace) -> Array:
    """Return the mean over classes of H at the prior of one half, by drawing states."""
    components = len(exact.prior)
    each = max(8, options.truth // components)
    label = torch.arange(components).repeat_interleave(each)
    stream = torch.Generator().manual_seed(options.seed)
    noise = torch.randn(len(label), exact.means.shape[1], generator=stream, dtype=torch.float64)
    return np.array([_exact_entropy(exact, noise, label, float(sigma)) for sigma in sigmas])


def _exact_entropy(exact: Mixture, noise: torch.Tensor, label: torch.Tensor, sigma: float) -> float:
    x = exact.means[label] + (exact.std**2 + sigma**2) ** 0.5 * noise
    log_posterior = exact.log_posterior(x, sigma)
    own = torch.nn.functional.one_hot(label).bool()
    rest = torch.log(-torch.expm1(log_posterior.clamp(max=-1e-15)))
    odds = log_posterior - rest - torch.logit(exact.prior)  # (states, classes), at one half
    p = torch.sigmoid(odds)
    entropy = (torch.special.entr(p) + torch.special.entr(1 - p)) / np.log(2)
    shares = exact.prior[label][:, None] * ~own
    inside = (entropy * own).sum(0) / own.sum(0)
    outside = (entropy * shares).sum(0) / shares.sum(0)
    return float((0.5 * inside + 0.5 * outside).mean())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--fashion-mnist", action="store_true")
    parser.add_argument("--components", type=int, nargs="+", default=[2, 4, 16, 256])
    parser.add_argument("--dimension", type=int, default=4)
    parser.add_argument("--spread", type=float, default=4.0)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--trajectories", type=int, default=4000)
    parser.add_argument("--truth", type=int, default=20000, help="states drawn for the truth")
    parser.add_argument("--pairs-only", action="store_true", help="leave out the sum over all")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
