"""Is the model, as a classifier of noised pictures, as good as a classifier trained to be one?

    python tests/benchmarks/noisy_classifier.py --data FOLDER [--minutes 20] [--trajectories 2000]

Trains a network on noised training pictures, the noise level as input, and prints at every second
level of the run its cross-entropy on noised test pictures beside the model's own on the same data,
corrected for the steps by the half-path. Either one bounds the entropy of the data's own class from
above. All cross-entropies are in bits with one standard error.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from entroscope_workers import measure
from entroscope_workers.library.idx import LabelledPictures, read_part
from entroscope_workers.library.with_data import with_data
from entroscope_workers.models.families.fashion_mnist import load
from entroscope_workers.numerics.entropy import BITS_PER_NAT
from entroscope_workers.training.fashion_mnist import as_labels, as_states

#: Root mean square of the pictures.
SIGMA_DATA = 0.83
#: ln sigma of the training: uniform between these.
LOG_SIGMAS = (np.log(0.01), np.log(60.0))


class NoisyClassifier(nn.Module):
    """Convolutions whose channels are scaled and shifted by the noise level."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.stages = nn.ModuleList([Stage(4, width), Stage(width, 2 * width)])
        self.head = nn.Linear(2 * width * 9, 10)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Return logits (n, 10) of x: (n, 1, 28, 28) at sigma: (n,)."""
        scale = (sigma.square() + SIGMA_DATA**2).sqrt()[:, None, None, None]
        # At 14 x 14 a processor trains several times as many steps a minute as at 28 x 28.
        h, level = F.pixel_unshuffle(x / scale, 2), noise_features(sigma)
        h = h.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            h = stage(h, level)
        logits: Tensor = self.head(F.dropout(h.flatten(1), 0.2, self.training))
        return logits


class Stage(nn.Module):
    """Two convolutions and a halving of the size."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.modulate = nn.Linear(16, 2 * channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        scale, shift = self.modulate(level)[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm(self.first(x)) * (1 + scale) + shift)
        return F.max_pool2d(F.silu(self.second(h)), 2)


def noise_features(sigma: Tensor) -> Tensor:
    """Return sines and cosines of ln sigma, (n, 16)."""
    phases = sigma.log()[:, None] * torch.logspace(-1.5, 0.5, 8)
    return torch.cat([phases.sin(), phases.cos()], dim=1).float()


def trained(x: Tensor, labels: Tensor, minutes: float, size: int = 256) -> NoisyClassifier:
    """Return a classifier trained for some minutes, its learning rate falling to 0."""
    torch.manual_seed(1)
    generator = Generator().manual_seed(2)
    classifier = NoisyClassifier()
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=2e-3, weight_decay=0.02)
    begin, done, steps = time.monotonic(), 0.0, 0
    while done < 1:
        picked = torch.randint(len(x), (size,), generator=generator)
        low, high = LOG_SIGMAS
        sigma = (low + (high - low) * torch.rand(size, generator=generator)).exp()
        noise = torch.randn((size, *x.shape[1:]), generator=generator)
        noisy = x[picked] + sigma[:, None, None, None] * noise
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(classifier(noisy, sigma).float(), labels[picked])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        done, steps = (time.monotonic() - begin) / (60 * minutes), steps + 1
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, 20 * done) * max(0.0, 1 - done)
    print(f"classifier: {steps} steps of {size} in {time.monotonic() - begin:.0f} s", flush=True)
    return classifier.eval()


@torch.inference_mode()
def judged(
    classifier: NoisyClassifier, x: Tensor, labels: Tensor, sigma: float
) -> tuple[float, float, float]:
    """Return cross-entropy, its standard error and accuracy on pictures noised anew."""
    generator = Generator().manual_seed(3)
    losses, right = [], 0
    for pictures, own in zip(torch.split(x, 500), torch.split(labels, 500), strict=True):
        noisy = pictures + sigma * torch.randn(pictures.shape, generator=generator)
        logits = classifier(noisy, torch.full((len(own),), sigma))
        losses.append(F.cross_entropy(logits, own, reduction="none"))
        right += int((logits.argmax(1) == own).sum())
    bits = BITS_PER_NAT * torch.cat(losses)
    return float(bits.mean()), float(bits.std() / len(bits) ** 0.5), right / len(bits)


def main() -> None:
    options = _parser().parse_args()
    train, test = (read_part(options.data, part) for part in ("train", "t10k"))
    classifier = trained(as_states(train), as_labels(train), options.minutes)
    begin = time.monotonic()
    result = measure(with_data(load(path=options.checkpoint), options.data), spec(options))
    pairs, seconds = result["provenance"]["evaluations"], time.monotonic() - begin
    print(f"model: {pairs} pairs in {seconds:.0f} s, {1000 * seconds / pairs:.2f} s per 1000 pairs")
    print_table(result, classifier, test)


def spec(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "paths_from": "data",
        "trajectories": options.trajectories,
        "schedule": {"steps": options.steps, "sigma_max": 80, "sigma_min": 0.02, "rho": 7},
        "seed": options.seed,
        "previews": None,
    }


def print_table(
    result: dict[str, Any], classifier: NoisyClassifier, test: LabelledPictures
) -> None:
    x, labels = as_states(test), as_labels(test)
    curve = result["curves"]["classes"]
    own = curve["calibration"]
    print("          classifier                model                              ")
    print("   sigma  cross-entropy    right    cross-entropy    uncorrected  right  entropy")
    for step in range(0, len(result["sigma"]), 2):
        sigma = result["sigma"][step]
        bits, se, right = judged(classifier, x, labels, sigma)
        print(
            f"{sigma:8.3f}  {bits:6.3f} ± {se:.3f}   {right:5.1%}"
            f"   {own['cross_entropy_corrected'][step]:6.3f} ± "
            f"{own['cross_entropy_corrected_se'][step]:.3f}  {curve['cross_entropy'][step]:8.3f}"
            f"     {own['accuracy'][step]:5.1%}  {own['entropy_corrected'][step]:6.3f}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="IDX files, both parts")
    parser.add_argument("--minutes", type=float, default=20, help="of training the classifier")
    parser.add_argument("--trajectories", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, default=None, help="default: the packaged one")
    return parser


if __name__ == "__main__":
    main()
