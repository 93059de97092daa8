"""The Fashion-MNIST adapter: pairs, labels and noise levels, and what a bad checkpoint says."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from entroscope_workers.models.base import NO_LABEL
from entroscope_workers.models.families.fashion_mnist import CHECKPOINT, FashionMnist, load


@pytest.fixture(scope="module")
def model() -> FashionMnist:
    return load()


def noisy(sigma: list[float]) -> tuple[Tensor, Tensor]:
    levels = torch.tensor(sigma, dtype=torch.float64)
    noise = torch.randn((len(sigma), 1, 28, 28), generator=torch.Generator().manual_seed(0))
    return levels.float()[:, None, None, None] * noise, levels


def test_pairs_together_equal_pairs_one_by_one(model: FashionMnist) -> None:
    x, sigma = noisy([0.05, 1.0, 30.0])
    rows = torch.tensor([2, 0, 0, 1, 2, 1])
    labels = torch.tensor([3, 3, 9, NO_LABEL, 0, 7])
    together = model.denoise(x, sigma, rows, labels)
    for pair, (row, label) in enumerate(zip(rows, labels, strict=True)):
        alone = model.denoise(x[row : row + 1], sigma[row : row + 1], rows[:1] * 0, label[None])
        torch.testing.assert_close(together[pair], alone[0], rtol=1e-4, atol=1e-5)


def test_a_row_does_not_depend_on_its_batch(model: FashionMnist) -> None:
    x, sigma = noisy([0.3] * 48)
    labels = torch.arange(48) % 10
    large = model.denoise(x, sigma, torch.arange(48), labels)
    small = model.denoise(x[:5], sigma[:5], torch.arange(5), labels[:5])
    torch.testing.assert_close(large[:5], small, rtol=1e-4, atol=1e-5)


def test_without_noise_the_picture_is_returned(model: FashionMnist) -> None:
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0)) * 2 - 1
    sigma = torch.full((2,), 1e-5, dtype=torch.float64)
    denoised = model.denoise(x, sigma, torch.arange(2), torch.tensor([4, NO_LABEL]))
    torch.testing.assert_close(denoised, x, rtol=0, atol=1e-3)


def test_at_high_noise_labels_give_different_pictures_of_data_size(model: FashionMnist) -> None:
    x, sigma = noisy([80.0])
    labels = torch.tensor([NO_LABEL, *range(10)])
    denoised = model.denoise(x, sigma, torch.zeros(11, dtype=torch.int64), labels)
    apart = torch.cdist(denoised.flatten(1), denoised.flatten(1)) + 1e3 * torch.eye(11)
    assert apart.min() > 2
    assert denoised.abs().max() < 1.5


def test_no_pairs_give_no_pictures(model: FashionMnist) -> None:
    x, sigma = noisy([1.0])
    none = torch.zeros(0, dtype=torch.int64)
    assert model.denoise(x, sigma, none, none).shape == (0, 1, 28, 28)


def test_the_start_is_scaled_noise(model: FashionMnist) -> None:
    noise, _ = noisy([1.0])
    uniform = torch.zeros(1, dtype=torch.float64)
    prior = torch.full((10,), 0.1, dtype=torch.float64)
    torch.testing.assert_close(model.start(noise, uniform, 80.0, prior), 80 * noise)


def test_previews_are_grey_and_clipped(model: FashionMnist) -> None:
    x = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])[:, None, None, None].expand(-1, 1, 28, 28)
    pictures = model.pictures(x)
    assert pictures.shape == (5, 28, 28, 3)
    assert pictures[:, 3, 3, 1].tolist() == [0, 0, 128, 255, 255]


def test_it_takes_no_parameters(model: FashionMnist) -> None:
    assert model.bind({}, model.info.labels) is model
    with pytest.raises(ValueError, match=r"takes no parameters, got \['size'\]"):
        model.bind({"size": 3}, model.info.labels)


def test_what_it_says_of_itself(model: FashionMnist) -> None:
    assert len(model.info.labels) == 10
    assert model.info.prior is not None and sum(model.info.prior) == pytest.approx(1)
    assert model.info.weights_hash is not None and len(model.info.weights_hash) == 16
    assert CHECKPOINT.stat().st_size <= 8_000_000


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read the Fashion-MNIST checkpoint .*none"):
        load(path=tmp_path / "none.safetensors")


@pytest.mark.parametrize("length", [0, 7, 1000, 100_000])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(CHECKPOINT.read_bytes()[:length])
    with pytest.raises(
        ValueError, match=r"cut\.safetensors is not a whole Fashion-MNIST checkpoint"
    ):
        load(path=path)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="it does not say the size of its network"):
        load(path=path)


def test_a_checkpoint_of_wrong_shapes_says_what_was_expected_and_found(tmp_path: Path) -> None:
    path = tmp_path / "shapes.safetensors"
    weights = safetensors.torch.load_file(CHECKPOINT)
    weights["decoder.maps"] = torch.zeros(3, 3)
    safetensors.torch.save_file(weights, path, {"config": "{}"})
    with pytest.raises(ValueError, match=r"expected 'decoder.maps' of shape .*, found \(3, 3\)"):
        load(path=path)
