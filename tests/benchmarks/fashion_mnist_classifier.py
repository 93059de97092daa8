"""An independent classifier of Fashion-MNIST, by which generated pictures are judged."""

from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F


class Classifier(nn.Module):
    """A small convolutional network; `features` is its penultimate layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(*_stage(1, 32), *_stage(32, 64), *_stage(64, 128))
        self.features_of = nn.Linear(128 * 3 * 3, 128)
        self.head = nn.Linear(128, 10)

    def features(self, x: Tensor) -> Tensor:
        """Return features (n, 128) of pictures x: (n, 1, 28, 28) in [-1, 1]."""
        return F.relu(self.features_of(self.body(x).flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.dropout(self.features(x), 0.3, self.training))
        return logits

    @torch.inference_mode()
    def in_pieces(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (n, 128) and predicted labels (n,) of many pictures."""
        features = torch.cat([self.features(piece) for piece in torch.split(x, 500)])
        return features, self.head(features).argmax(dim=1)


def trained_classifier(
    x: Tensor, labels: Tensor, cache: Path | None, epochs: int = 5
) -> Classifier:
    """Return a classifier trained on pictures x and labels, or the one kept in `cache`."""
    classifier = Classifier()
    if cache is not None and cache.is_file():
        classifier.load_state_dict(torch.load(cache, weights_only=True))
        return classifier.eval()
    _train(classifier, x, labels, epochs)
    if cache is not None:
        torch.save(classifier.state_dict(), cache)
    return classifier.eval()


def _train(classifier: Classifier, x: Tensor, labels: Tensor, epochs: int, size: int = 256) -> None:
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.02)
    steps = epochs * (len(x) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    generator = Generator().manual_seed(2)
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator)
        for picked in order[: len(x) // size * size].view(-1, size):
            batch = x[picked].contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(classifier(batch).float(), labels[picked])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()


def _stage(channels_in: int, channels: int) -> list[nn.Module]:
    """Two convolutions and a halving of the size."""
    return [
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
