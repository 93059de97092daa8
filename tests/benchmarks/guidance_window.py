"""Does the window matter? Guidance at all steps, inside the suggested interval, and outside it.

    python tests/benchmarks/guidance_window.py --data /usr/share/datasets/fashion-mnist

Measures the interval of the bundled Fashion-MNIST model, then samples pictures of every class and
prints a table: how often an independent classifier agrees with the intended class, and the Frechet
distance, in its features, to the real test pictures. All rows share labels and noise.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from fashion_mnist_classifier import Classifier, trained_classifier
from fashion_mnist_samples import frechet
from torch import Generator, Tensor

from entroscope_workers import measure
from entroscope_workers.library.idx import read_part
from entroscope_workers.models.families.fashion_mnist import LABELS, FashionMnist, load
from entroscope_workers.numerics.sampling import sample
from entroscope_workers.training.fashion_mnist import as_labels, as_states


@dataclass(frozen=True)
class Setting:
    """One row of the table: the guidance scale of every step."""

    scale: float
    where: str
    scales: list[float]


def main() -> None:
    options = _parser().parse_args()
    train, test = read_part(options.data, "train"), read_part(options.data, "t10k")
    model = load(torch.device(options.device), path=options.checkpoint)
    classifier = trained_classifier(as_states(train), as_labels(train), options.classifier)
    real, found = classifier.in_pieces(as_states(test))
    accuracy = (found == as_labels(test)).double().mean().item()
    sigmas, (low, high) = measured_interval(model, options.steps, options.trajectories)
    inside = [low < sigma <= high for sigma in sigmas]
    print(f"suggested interval ({low:g}, {high:g}], {sum(inside)} of {len(sigmas)} steps; ", end="")
    print(f"the classifier is right on {accuracy:.2%} of the real test pictures\n")
    print("| guidance | where | agreement | its error | Frechet distance | seconds |")
    print("|---|---|---|---|---|---|")
    for setting in settings(options.scales, inside):
        begin = time.monotonic()
        x0, labels = pictures(model, setting.scales, sigmas, options.images, options.batch)
        seconds = time.monotonic() - begin
        agreement, error, distance = judged(classifier, x0, labels, real)
        print(
            f"| {setting.scale:g} | {setting.where} | {agreement:.2%} | {error:.2%} "
            f"| {distance:.2f} | {seconds:.0f} |",
            flush=True,
        )


def measured_interval(
    model: FashionMnist, steps: int, trajectories: int
) -> tuple[list[float], tuple[float, float]]:
    """Return the noise levels and the interval that a run of the model suggests."""
    spec = {"schedule": {"steps": steps}, "trajectories": trajectories, "previews": None}
    result = measure(model, spec)
    low, high = result["studies"]["suggested_interval"]["interval"]
    return result["sigma"], (low, high)


def settings(scales: Sequence[float], inside: Sequence[bool]) -> Iterator[Setting]:
    yield Setting(1.0, "no guidance", [1.0] * len(inside))
    for scale in scales:
        yield Setting(scale, "all steps", [scale] * len(inside))
        yield Setting(scale, "inside the window", [scale if own else 1.0 for own in inside])
        yield Setting(scale, "outside the window", [1.0 if own else scale for own in inside])


@torch.inference_mode()
def pictures(
    model: FashionMnist, scales: Sequence[float], sigmas: Sequence[float], images: int, batch: int
) -> tuple[Tensor, Tensor]:
    """Return pictures (images, 1, 28, 28), as many of each class, and their labels."""
    labels = torch.arange(images) % len(LABELS)
    parts = []
    for number, own in enumerate(torch.split(labels, batch)):
        generator = Generator(model.device).manual_seed(number)
        noise = torch.empty((len(own), *model.info.shape), device=model.device)
        x = sigmas[0] * noise.normal_(generator=generator)
        there = own.to(model.device)
        parts.append(sample(model.denoise, x, there, sigmas, scales, generator).cpu())
    return torch.cat(parts).float(), labels


def judged(
    classifier: Classifier, x0: Tensor, labels: Tensor, real: Tensor
) -> tuple[float, float, float]:
    """Return agreement with the labels, its standard error, and the Frechet distance."""
    features, found = classifier.in_pieces(x0)
    agreement = (found == labels).double().mean().item()
    error = math.sqrt(agreement * (1 - agreement) / len(labels))
    return agreement, error, frechet(features, real)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of IDX files")
    parser.add_argument("--checkpoint", type=Path, default=None, help="default: the packaged one")
    parser.add_argument("--classifier", type=Path, default=None, help="keep the classifier here")
    parser.add_argument("--images", type=int, default=2000, help="of every row (%(default)s)")
    parser.add_argument("--scales", type=float, nargs="*", default=[1.5, 2.0, 3.0, 4.0])
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--trajectories", type=int, default=512, help="of the measured interval")
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--device", default="cpu")
    return parser


if __name__ == "__main__":
    main()
