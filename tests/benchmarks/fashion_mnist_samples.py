"""Is the bundled Fashion-MNIST model good enough to be measured? Figures a) and c).

    python tests/benchmarks/fashion_mnist_samples.py --data /usr/share/datasets/fashion-mnist

Prints how often an independent classifier agrees with the intended class of generated pictures, the
Frechet distance in its features, the held-out loss per noise level and the pairs per second.
"""

import argparse
import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.linalg
import torch
from fashion_mnist_classifier import trained_classifier
from PIL import Image
from torch import Generator, Tensor

from entroscope_workers.library.idx import read_part
from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.families.fashion_mnist import LABELS, FashionMnist, load
from entroscope_workers.training.fashion_mnist import as_labels, as_states
from entroscope_workers.training.loss import weighted_errors


def main() -> None:
    options = _parser().parse_args()
    train, test = read_part(options.data, "train"), read_part(options.data, "t10k")
    model = load(path=options.checkpoint)
    classifier = trained_classifier(as_states(train), as_labels(train), options.classifier)
    real_features, real_labels = classifier.in_pieces(as_states(test))
    accuracy = _share(real_labels == as_labels(test))
    print(f"classifier on {len(real_labels)} real test pictures: {accuracy:.2%}", flush=True)

    labels = torch.arange(options.samples) % len(LABELS)
    x0 = sample(model, labels, options.steps, options.seed)
    features, found = classifier.in_pieces(x0)
    agreement = _share(found == labels)
    print(f"agreement with the intended class of {len(labels)} generated pictures: {agreement:.2%}")
    print(f"ratio of the two (0.97 wanted): {agreement / accuracy:.3f}")
    for label, name in enumerate(LABELS):
        of_class = as_labels(test) == label
        real = _share(real_labels[of_class] == label)
        print(
            f"  {name:12s} generated {_share(found[labels == label] == label):.1%} real {real:.1%}"
        )

    picked = torch.randperm(len(train.labels), generator=Generator().manual_seed(1))[: len(labels)]
    train_features, _ = classifier.in_pieces(as_states(train)[picked])
    print(f"Frechet distance, generated to test: {frechet(features, real_features):.2f}")
    print(f"Frechet distance, training to test:  {frechet(train_features, real_features):.2f}")
    if options.sheet is not None:
        contact_sheet(model, x0, labels).save(options.sheet, optimize=True)
    if not options.quick:
        print_losses(model, as_states(test), as_labels(test))
        print(f"pairs per second at its best batch: {best_speed(model):.0f}")


def sample(model: FashionMnist, labels: Tensor, num_steps: int, seed: int) -> Tensor:
    """Return one picture a label from the stochastic chain at sigma 80 to 0.02, rho 7."""
    sigmas = edm_sigmas(num_steps, 80.0, 0.02, 7.0)
    generator = Generator().manual_seed(seed)
    x = sigmas[0] * torch.randn(len(labels), *model.info.shape, generator=generator)
    rows = torch.arange(len(labels))
    for a, b in pairwise([*sigmas, 0.0]):
        denoised = model.denoise(x, torch.full((len(x),), a, dtype=torch.float64), rows, labels)
        kept, spread = (b / a) ** 2, b * math.sqrt(a**2 - b**2) / a
        x = kept * x + (1 - kept) * denoised + spread * torch.randn(x.shape, generator=generator)
    return x


def edm_sigmas(num_steps: int, sigma_max: float, sigma_min: float, rho: float) -> list[float]:
    """Return the noise levels of Karras et al. 2022, eq. 5, without the final 0."""
    ramp = np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), num_steps)
    return [float(sigma) for sigma in ramp**rho]


def frechet(one: Tensor, other: Tensor) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features (n, width)."""
    first, second = one.double().numpy(), other.double().numpy()
    cov_first, cov_second = np.cov(first.T), np.cov(second.T)
    # The eigenvalues of C1 C2 are real and not negative, up to rounding.
    eigenvalues = scipy.linalg.eigvals(cov_first @ cov_second).real.clip(min=0)
    between = np.square(first.mean(0) - second.mean(0)).sum()
    return float(
        between + np.trace(cov_first) + np.trace(cov_second) - 2 * np.sqrt(eigenvalues).sum()
    )


def contact_sheet(
    model: FashionMnist, x0: Tensor, labels: Tensor, per_class: int = 10
) -> Image.Image:
    """Return a sheet of one row a class, each picture doubled in size."""
    rows = [model.pictures(x0[labels == label][:per_class]) for label in range(len(LABELS))]
    grid = np.stack(rows)[..., 0]  # (classes, per_class, 28, 28)
    padded = np.pad(grid, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=255)
    sheet = padded.transpose(0, 2, 1, 3).reshape(30 * len(LABELS), 30 * per_class)
    return Image.fromarray(sheet).resize(
        (60 * per_class, 60 * len(LABELS)), Image.Resampling.NEAREST
    )


@torch.inference_mode()
def print_losses(model: FashionMnist, x0: Tensor, labels: Tensor, count: int = 1000) -> None:
    """Print the weighted denoising loss of held-out pictures, with and without their label."""
    generator = Generator().manual_seed(3)
    noise = torch.randn(x0[:count].shape, generator=generator)
    print("held-out loss      sigma  conditional  unconditional")
    for sigma in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 80.0):
        levels = torch.full((count,), sigma, dtype=torch.float64)
        means = []
        for given in (labels[:count], torch.full((count,), NO_LABEL)):
            errors = weighted_errors(model.network, x0[:count], levels, noise, given)
            means.append(errors.mean().item())
        print(f"              {sigma:10.2f} {means[0]:12.5f} {means[1]:14.5f}", flush=True)


def best_speed(model: FashionMnist, seconds: float = 3.0) -> float:
    """Return pairs per second with all ten labels a row, at the best of a few batch sizes."""
    return max(_speed(model, batch, seconds) for batch in (16, 32, 64, 128))


def _speed(model: FashionMnist, batch: int, seconds: float) -> float:
    x = torch.randn(batch, *model.info.shape)
    sigma = torch.full((batch,), 2.0, dtype=torch.float64)
    rows = torch.arange(batch).repeat_interleave(len(LABELS))
    labels = torch.arange(len(LABELS)).repeat(batch)
    model.denoise(x, sigma, rows, labels)
    begin, pairs = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        pairs += len(model.denoise(x, sigma, rows, labels))
    return pairs / (time.monotonic() - begin)


def _share(right: Tensor) -> float:
    return right.double().mean().item()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of IDX files")
    parser.add_argument("--checkpoint", type=Path, default=None, help="default: the packaged one")
    parser.add_argument("--classifier", type=Path, default=None, help="keep the classifier here")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path, default=None, help="write the contact sheet here")
    parser.add_argument("--quick", action="store_true", help="no losses, no speed")
    return parser


if __name__ == "__main__":
    main()
