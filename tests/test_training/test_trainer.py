"""The training makes steps that a stop and a resume do not change."""

import gzip
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.families.fashion_mnist import Network, NetworkConfig, load
from entroscope_workers.training.fashion_mnist import main
from entroscope_workers.training.loss import (
    NoiseLevels,
    contrasted_errors,
    drop_labels,
    weighted_errors,
)
from entroscope_workers.training.trainer import Trainer, TrainingConfig

TINY = NetworkConfig(
    fine=8, coarse=8, decoder_fine=8, trunk_blocks=(1, 1), decoder_blocks=(1, 1), embedding=8
)
CONFIG = TrainingConfig(network=TINY, steps=6, batch_size=4, warmup_steps=2)


def tiny_data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(20) % 10
    return torch.rand((20, 1, 28, 28), generator=generator) * 2 - 1, labels


def take(trainer: Trainer, steps: int) -> Trainer:
    for _ in range(steps):
        trainer.step()
    return trainer


def test_a_resumed_training_equals_an_undisturbed_one(tmp_path: Path) -> None:
    whole = take(Trainer(CONFIG, *tiny_data()), 6)
    take(Trainer(CONFIG, *tiny_data()), 3).save(tmp_path / "state.pt")
    resumed = Trainer(CONFIG, *tiny_data())
    resumed.resume(tmp_path / "state.pt")
    take(resumed, 3)
    for one, other in zip(whole.average.parameters(), resumed.average.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_an_interrupted_save_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = take(Trainer(CONFIG, *tiny_data()), 1)
    trainer.save(tmp_path / "state.pt")
    take(trainer, 1)

    def killed(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.save(tmp_path / "state.pt")
    trainer.resume(tmp_path / "state.pt")
    assert trainer.progress.step == 1


def test_a_broken_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match=r"cannot resume from .*state\.pt"):
        Trainer(CONFIG, *tiny_data()).resume(tmp_path / "state.pt")


def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    Trainer(CONFIG, *tiny_data()).save(tmp_path / "state.pt")
    wider = replace(CONFIG, network=replace(TINY, embedding=16))
    with pytest.raises(ValueError, match="cannot resume from"):
        Trainer(wider, *tiny_data()).resume(tmp_path / "state.pt")


def test_the_number_of_threads_changes_no_gradient() -> None:
    one, two = (Trainer(replace(CONFIG, threads=n, bfloat16=False), *tiny_data()) for n in (1, 2))
    assert one.step() == pytest.approx(two.step(), rel=1e-5)
    for alone, shared in zip(one.network.parameters(), two.network.parameters(), strict=True):
        torch.testing.assert_close(alone.grad, shared.grad, rtol=1e-3, atol=1e-5)


def test_a_training_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="minutes must be > 0, got 0"):
        TrainingConfig(minutes=0)


def test_an_idle_network_has_a_weighted_error_near_one() -> None:
    x0 = torch.full((64, 1, 28, 28), TINY.sigma_data)
    trainer = Trainer(CONFIG, *tiny_data())
    sigma = torch.logspace(-2, 2, 64, dtype=torch.float64)
    noise = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0))
    errors = weighted_errors(trainer.network, x0, sigma, noise, torch.zeros(64, dtype=torch.int64))
    assert errors.detach().numpy() == pytest.approx(1, abs=0.3)


def test_noise_levels_follow_the_normal_law_and_the_uniform_share() -> None:
    draws = NoiseLevels(mean=-1.0, std=0.5, uniform_share=0.25).draw(
        40_000, torch.Generator().manual_seed(0)
    )
    # Above the normal law's fourth deviation only the uniform share is left.
    expected = 0.25 * (np.log(80) - 1) / (np.log(80) - np.log(0.02))
    assert (draws > np.e).double().mean().item() == pytest.approx(expected, abs=0.01)
    assert draws.log().median().item() == pytest.approx(-0.97, abs=0.05)


def test_the_stated_share_of_labels_is_dropped() -> None:
    labels = drop_labels(torch.ones(20_000, dtype=torch.int64), 0.12, torch.Generator())
    assert (labels == NO_LABEL).double().mean().item() == pytest.approx(0.12, abs=0.01)
    assert ((labels == NO_LABEL) | (labels == 1)).all()


@pytest.fixture
def threads_restored() -> Iterator[None]:
    """The program sets torch's number of threads, which other tests want back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def write_data(folder: Path) -> None:
    pictures, labels = tiny_data()
    bytes_of = ((pictures + 1) * 127).byte().numpy().tobytes()
    images = bytes((0, 0, 8, 3)) + struct.pack(">3I", 20, 28, 28) + bytes_of
    classes = bytes((0, 0, 8, 1)) + struct.pack(">I", 20) + labels.byte().numpy().tobytes()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(classes))


@pytest.mark.usefixtures("threads_restored")
def test_the_program_writes_a_checkpoint_that_loads_and_a_record(tmp_path: Path) -> None:
    write_data(tmp_path)
    size = json.dumps({"fine": 8, "coarse": 8, "decoder_fine": 8, "embedding": 8})
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--batch-size", "4"]
    assert main([*arguments, "--steps", "2", "--network", size]) == 0
    assert main([*arguments, "--steps", "3", "--network", size, "--resume"]) == 0
    model = load(path=tmp_path / "out" / "fashion_mnist.safetensors")
    record = json.loads((tmp_path / "out" / "fashion_mnist.json").read_text())
    assert model.network.config.coarse == 8
    assert record["steps"] == 3
    assert record["data"]["licence"].startswith("MIT")
    assert set(record["data"]["sha256"]) == {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}


@pytest.mark.usefixtures("threads_restored")
def test_bad_data_ends_the_program_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: no train-images-idx3-ubyte")


def noisy() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x0, labels = tiny_data()
    generator = torch.Generator().manual_seed(1)
    return x0, NoiseLevels().draw(20, generator), torch.randn(x0.shape, generator=generator), labels


def spoken(network: Network) -> Network:
    """Return the network with an output that is not silent, and differs by label."""
    torch.nn.init.normal_(network.decoder.write.weight, std=0.3)
    return network


def test_without_contrast_all_labels_cost_what_dropped_ones_do_on_average() -> None:
    network, (x0, sigma, noise, labels) = spoken(Network(TINY)), noisy()
    both = contrasted_errors(network, x0, sigma, noise, labels, unlabelled_share=0.2, contrast=0)
    own = weighted_errors(network, x0, sigma, noise, labels)
    nobody = weighted_errors(network, x0, sigma, noise, torch.full_like(labels, NO_LABEL))
    torch.testing.assert_close(both, 0.8 * own + 0.2 * nobody, rtol=1e-4, atol=1e-6)


def test_labels_that_no_picture_tells_apart_cost_the_logarithm_of_their_number() -> None:
    network, given = Network(TINY), noisy()  # a fresh network answers the same for each label
    plain = contrasted_errors(network, *given, unlabelled_share=0.2, contrast=0)
    whole = contrasted_errors(network, *given, unlabelled_share=0.2, contrast=0.5)
    told = whole - plain
    torch.testing.assert_close(told, torch.full((20,), 0.5 * float(np.log(10))), rtol=1e-3, atol=0)


def test_training_with_contrast_tells_labels_better_apart() -> None:
    given = noisy()
    config = replace(CONFIG, steps=30, contrast=1.0, learning_rate=3e-3, bfloat16=False)
    trainer = Trainer(config, *tiny_data())

    def told() -> float:
        with torch.no_grad():
            whole, plain = (
                contrasted_errors(trainer.network, *given, unlabelled_share=0, contrast=contrast)
                for contrast in (1.0, 0.0)
            )
        return float((whole - plain).mean())

    before = told()
    assert told() == before
    take(trainer, 30)
    assert told() < before - 0.01


@pytest.mark.usefixtures("threads_restored")
def test_a_training_can_start_from_a_checkpoint_and_its_record_says_so(tmp_path: Path) -> None:
    write_data(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    own = ["--data", str(tmp_path), "--batch-size", "4", "--threads", "1"]
    size = ["--network", json.dumps({"fine": 8, "coarse": 8, "decoder_fine": 8, "embedding": 8})]
    assert main([*own, *size, "--out", str(first), "--steps", "2"]) == 0
    start = ["--start", str(first / "fashion_mnist.safetensors"), "--contrast", "0.1"]
    assert main([*own, *start, "--out", str(second), "--steps", "1"]) == 0
    record = json.loads((second / "fashion_mnist.json").read_text())
    assert record["config"]["contrast"] == 0.1 and record["config"]["network"]["fine"] == 8
    assert record["started_from"] == json.loads((first / "fashion_mnist.json").read_text())
