"""Make the Fashion-MNIST checkpoint from a folder of IDX files.

    python -m entroscope_workers.training.fashion_mnist --data FOLDER --out FOLDER [--resume]

Writes fashion_mnist.safetensors (averaged weights), fashion_mnist.json (the record of the training)
and, for `--resume`, fashion_mnist.state.pt.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from safetensors.torch import save_file
from torch import Tensor

from entroscope_workers.library.idx import LabelledPictures, read_part
from entroscope_workers.models.families.fashion_mnist import SHAPE, NetworkConfig, load
from entroscope_workers.training.trainer import Trainer, TrainingConfig

DATA = {
    "name": "Fashion-MNIST",
    "source": "https://github.com/zalandoresearch/fashion-mnist",
    "licence": "MIT, (c) 2017 Zalando SE",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # The threads work on shares of a batch and meet once a step; if they met in every operation, a
    # busy machine would make them wait for each other most of the time.
    torch.set_num_threads(1)
    try:
        train = read_part(options.data, "train")
        trainer, before = _trainer(options, as_states(train), as_labels(train))
        if options.resume:
            trainer.resume(options.out / "fashion_mnist.state.pt")
    except (ValueError, TypeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        run(trainer, options.out, _facts(train, before), options.save_every_s)
    except KeyboardInterrupt:
        print("stopped; --resume goes on from the last save", file=sys.stderr)
        return 130
    return 0


def as_states(data: LabelledPictures) -> Tensor:
    """Return the pictures as states of the model: (n, 1, 28, 28), float32 in [-1, 1]."""
    if data.pictures.shape[1:] != SHAPE[1:]:
        raise ValueError(f"pictures must be of size {SHAPE[1:]}, got {data.pictures.shape[1:]}")
    return torch.from_numpy(data.pictures.copy()).float()[:, None] / 127.5 - 1


def as_labels(data: LabelledPictures) -> Tensor:
    return torch.from_numpy(data.labels.copy()).long()


def _trainer(
    options: argparse.Namespace, x0: Tensor, labels: Tensor
) -> tuple[Trainer, dict[str, Any] | None]:
    """Return the trainer, and the record of the training whose checkpoint it starts from."""
    if options.start is None:
        return Trainer(_config(options), x0, labels), None
    network = load(path=options.start).network
    trainer = Trainer(replace(_config(options), network=network.config), x0, labels)
    trainer.start_from(network.state_dict())
    record: dict[str, Any] = json.loads(options.start.with_suffix(".json").read_text())
    return trainer, record


def _facts(train: LabelledPictures, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the record says besides the training itself."""
    facts: dict[str, Any] = {"data": DATA | {"sha256": train.checksums}}
    return facts if before is None else facts | {"started_from": before}


def run(trainer: Trainer, out: Path, facts: dict[str, Any], save_every_s: float) -> None:
    """Train to the end, showing progress and saving now and then."""
    saved = time.monotonic()
    losses: list[float] = []
    with _progress_bar() as bar:
        task = bar.add_task("training", total=1.0, loss="")
        while not trainer.is_done:
            losses.append(trainer.step())
            if len(losses) == 100:
                mean = _note(trainer, losses)
                bar.update(task, loss=f"loss {mean:.4f}")
            bar.update(task, completed=trainer.progress.share_done(trainer.config))
            if time.monotonic() - saved > save_every_s:
                save(trainer, out, facts)
                saved = time.monotonic()
    save(trainer, out, facts)


def save(trainer: Trainer, out: Path, facts: dict[str, Any]) -> None:
    """Write state, averaged weights and record."""
    trainer.save(out / "fashion_mnist.state.pt")
    weights = {name: tensor.contiguous() for name, tensor in trainer.average.state_dict().items()}
    metadata = {"config": json.dumps(asdict(trainer.config.network))}
    save_file(weights, out / "fashion_mnist.safetensors", metadata)
    record = {
        **facts,
        "config": asdict(trainer.config),
        "torch": torch.__version__,
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "steps": trainer.progress.step,
        "seconds": round(trainer.progress.seconds, 1),
        "losses": trainer.progress.losses,
    }
    (out / "fashion_mnist.json").write_text(json.dumps(record, indent=1) + "\n")


def _note(trainer: Trainer, losses: list[float]) -> float:
    mean = sum(losses) / len(losses)
    losses.clear()
    trainer.progress.losses.append({"step": trainer.progress.step, "loss": round(mean, 5)})
    return mean


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} % {task.fields[loss]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )


def _config(options: argparse.Namespace) -> TrainingConfig:
    network = NetworkConfig(**json.loads(options.network))
    names = {item.name for item in fields(TrainingConfig)} - {"network"}
    chosen = {name: value for name, value in vars(options).items() if name in names}
    return TrainingConfig(network=network, **chosen)


def _parser() -> argparse.ArgumentParser:
    default = TrainingConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of IDX files, gzipped or not"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and record")
    parser.add_argument("--resume", action="store_true", help="go on from the state in --out")
    parser.add_argument(
        "--start", type=Path, help="begin with the weights of this checkpoint, its record beside it"
    )
    parser.add_argument("--minutes", type=float, default=default.minutes, help="training time")
    parser.add_argument(
        "--steps", type=int, default=None, help="number of steps, instead of a time"
    )
    parser.add_argument("--batch-size", type=int, default=default.batch_size)
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--warmup-steps", type=int, default=default.warmup_steps)
    parser.add_argument(
        "--contrast", type=float, default=default.contrast, help="weight of telling labels apart"
    )
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--threads", type=int, default=default.threads)
    parser.add_argument("--network", default="{}", help="fields of NetworkConfig, as JSON")
    parser.add_argument("--save-every-s", type=float, default=60.0, help="seconds between saves")
    return parser


if __name__ == "__main__":
    sys.exit(main())
