"""Train the Fashion-MNIST denoiser step by step; after each step the state can be saved."""

import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Generator, Tensor

from entroscope_workers.models.families.fashion_mnist import Network, NetworkConfig
from entroscope_workers.training.loss import (
    NoiseLevels,
    contrasted_errors,
    drop_labels,
    weighted_errors,
)

#: x0, sigma, noise, labels, one entry a picture
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How the checkpoint is made.

    Attributes:
        minutes: training time, which the learning rate follows; ignored where `steps` is given.
        warmup_steps: steps in which the learning rate rises to its height; then a cosine to 0.
        unlabelled_share: share of pictures whose label is withheld, for the unconditional branch.
        ema_decay: decay per step of the average of the weights, which is what is published.
        threads: equal shares of a batch that are worked on side by side.
        contrast: weight of telling the label from the denoised pictures (`contrasted_errors`); it
            asks for all labels of a picture and so costs several times as much. 0 leaves it out.
        bfloat16: whether convolutions run in bfloat16; weights and averages stay float32.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    noise_levels: NoiseLevels = field(default_factory=NoiseLevels)
    minutes: float = 75.0
    steps: int | None = None
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup_steps: int = 500
    weight_decay: float = 0.01
    unlabelled_share: float = 0.12
    contrast: float = 0.0
    ema_decay: float = 0.999
    bfloat16: bool = True
    threads: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("minutes", "steps", "batch_size", "learning_rate", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be > 0, got {value!r}")


@dataclass
class Progress:
    """Where the training stands; `losses` are means over the steps since the entry before."""

    step: int = 0
    seconds: float = 0.0
    losses: list[dict[str, float]] = field(default_factory=list)

    def share_done(self, config: TrainingConfig) -> float:
        """Return the share of the training that is done, in [0, 1]."""
        by_time = self.seconds / (60 * config.minutes)
        return min(1.0, by_time if config.steps is None else self.step / config.steps)


class Trainer:
    """Network, average of its weights, optimiser and progress.

    Step k draws all its randomness from (seed, k), so a resumed training takes the steps that an
    undisturbed one would have taken.
    """

    def __init__(self, config: TrainingConfig, x0: Tensor, labels: Tensor) -> None:
        """Args: x0: (n, 1, 28, 28), float32 in [-1, 1]; labels: (n,), int64."""
        torch.manual_seed(config.seed)
        self.config = config
        self.x0, self.labels = x0, labels
        self.network = Network(config.network)
        self.average = Network(config.network).requires_grad_(False)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.progress = Progress()
        self._pool = ThreadPoolExecutor(config.threads)

    @property
    def is_done(self) -> bool:
        return self.progress.share_done(self.config) >= 1

    def step(self) -> float:
        """Take one step and return its loss."""
        begin = time.monotonic()
        generator = Generator().manual_seed((self.config.seed << 32) + self.progress.step)
        loss = self._set_gradients(generator)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        self.progress.step += 1
        self.progress.seconds += time.monotonic() - begin
        return loss

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with the weights of a network of the same size."""
        self.network.load_state_dict(weights)
        self.average.load_state_dict(weights)

    def save(self, path: Path) -> None:
        """Write the whole state; a kill in the middle leaves the one before."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": vars(self.progress),
        }
        unfinished = path.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a saved state.

        Raises:
            ValueError: it is no whole state, or one of another network.
        """
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.progress = Progress(**state["progress"])
        except (RuntimeError, UnpicklingError, EOFError, LookupError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"cannot resume from {path}: {reason}") from error

    def _set_gradients(self, generator: Generator) -> float:
        """Set the gradients of a fresh batch; return its loss."""
        parts = [part.chunk(self.config.threads) for part in self._batch(generator)]
        shares = zip(*parts, strict=True)
        results = list(self._pool.map(self._share, shares))
        gradients = [gradient for _, gradient in results]
        for parameter, *pieces in zip(self.network.parameters(), *gradients, strict=True):
            parameter.grad = torch.stack(pieces).mean(dim=0)
        return sum(loss for loss, _ in results) / len(results)

    def _share(self, batch: Batch) -> tuple[float, tuple[Tensor, ...]]:
        """Return loss and gradients of one thread's share of a batch."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            loss = self._errors(batch).mean()
        return loss.item(), torch.autograd.grad(loss, list(self.network.parameters()))

    def _errors(self, batch: Batch) -> Tensor:
        share, contrast = self.config.unlabelled_share, self.config.contrast
        if not contrast:
            return weighted_errors(self.network, *batch)
        return contrasted_errors(self.network, *batch, unlabelled_share=share, contrast=contrast)

    def _batch(self, generator: Generator) -> Batch:
        config = self.config
        picked = torch.randint(len(self.x0), (config.batch_size,), generator=generator)
        x0 = self.x0[picked]
        labels = self.labels[picked]
        if not config.contrast:
            labels = drop_labels(labels, config.unlabelled_share, generator)
        sigma = config.noise_levels.draw(len(x0), generator)
        noise = torch.randn(x0.shape, generator=generator)
        return x0, sigma, noise, labels

    def _learning_rate(self) -> float:
        warmup = min(1.0, (self.progress.step + 1) / self.config.warmup_steps)
        share = self.progress.share_done(self.config)
        return self.config.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * share))

    def _update_average(self) -> None:
        step = self.progress.step
        # Early on the average forgets quickly, or it would remember the random start for long.
        decay = min(self.config.ema_decay, (1 + step) / (10 + step))
        averages: list[Tensor] = list(self.average.parameters())
        weights: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
