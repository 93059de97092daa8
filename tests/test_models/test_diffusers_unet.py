"""Class-conditional UNet2DModel: diffusers' own scheduler is the reference."""

import json
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from tiny.diffusers_unet import edit, entry_of, write, write_unet
from torch import Tensor

from entroscope_workers.models.base import NO_LABEL, Model, ReadsPictures
from entroscope_workers.models.entry import Entry
from entroscope_workers.models.families.diffusers_unet import load_entry

CPU = torch.device("cpu")


SCHEDULES = [
    {"beta_schedule": "linear"},
    {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    {"beta_schedule": "squaredcos_cap_v2"},
]


SCHEDULERS = [
    *("DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler"),
    *("HeunDiscreteScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"),
]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    return write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that a test may change."""
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("betas", SCHEDULES, ids=lambda config: config["beta_schedule"])
def test_denoised_is_the_pipelines_original_sample(
    tmp_path: Path, prediction: str, betas: dict[str, Any]
) -> None:
    network = write_unet(tmp_path).eval()
    config = {**betas, "prediction_type": prediction, "clip_sample": False}
    scheduler = diffusers.DDPMScheduler(**config)
    scheduler.save_pretrained(tmp_path / "scheduler")
    model = load_entry(entry_of(tmp_path), CPU)
    data, noise = normal(1, 3, 8, 8), normal(1, 3, 8, 8, seed=1)
    for step, label in ((0, 0), (40, 1), (500, 2), (900, 3)):
        noisy = scheduler.add_noise(data, noise, torch.tensor([step]))
        with torch.no_grad():
            output = network(noisy, step, class_labels=torch.tensor([label])).sample
        theirs = scheduler.step(output, step, noisy).pred_original_sample
        signal = scheduler.alphas_cumprod[step].double()
        sigma = ((1 - signal) / signal).sqrt()[None]
        x = noisy / signal.sqrt().float()
        ours = model.denoise(x, sigma, torch.tensor([0]), torch.tensor([label]))
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(x.abs().max()))


@pytest.mark.parametrize("name", SCHEDULERS)
# diffusers makes NumPy arrays of tensors in the way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_any_scheduler_of_the_same_betas_makes_the_same_model(
    folder: Path, tiny: Entry, name: str
) -> None:
    made: SchedulerMixin = getattr(diffusers, name).from_config(
        diffusers.DDPMScheduler.load_config(folder / "scheduler")
    )
    made.save_pretrained(folder / "scheduler")
    x, sigma = normal(2, 3, 8, 8), torch.tensor([0.1, 3.0], dtype=torch.float64)
    rows, labels = torch.arange(2), torch.tensor([0, 2])
    changed = load_entry(entry_of(folder, options=tiny.options), CPU)
    answers = [model.denoise(x, sigma, rows, labels) for model in (changed, load_entry(tiny, CPU))]
    assert torch.equal(*answers)


def test_the_null_class_is_the_unconditional_branch_and_no_label(folder: Path) -> None:
    whole = load_entry(entry_of(folder), CPU)
    without = load_entry(entry_of(folder, options={"null_class": 1}), CPU)
    x, sigma = normal(3, 3, 8, 8), torch.full((3,), 2.0, dtype=torch.float64)
    rows = torch.arange(3)
    assert whole.info.labels == ("0", "1", "2", "3") and not whole.info.unconditional
    assert len(without.info.labels) == 3 and without.info.unconditional
    asked = whole.denoise(x, sigma, rows, torch.tensor([0, 1, 3]))
    answered = without.denoise(x, sigma, rows, torch.tensor([0, NO_LABEL, 2]))
    assert torch.equal(asked, answered)
    with pytest.raises(ValueError, match="has no unconditional branch"):
        whole.denoise(x, sigma, rows, torch.tensor([0, NO_LABEL, 2]))


def test_names_of_the_folder_are_those_of_the_classes_it_knows(folder: Path) -> None:
    names = {"0": "cat, house cat", "1": "nothing", "2": "dog", "3": "bird"}
    (folder / "model_index.json").write_text(json.dumps({"id2label": names}))
    model = load_entry(entry_of(folder, options={"null_class": 1}), CPU)
    assert model.info.labels == ("cat", "dog", "bird")


def test_it_clips_like_the_scheduler_only_where_the_entry_says_so(folder: Path) -> None:
    x, sigma = 30 * normal(1, 3, 8, 8), torch.tensor([30.0], dtype=torch.float64)
    pair = torch.tensor([0]), torch.tensor([1])
    free = load_entry(entry_of(folder), CPU).denoise(x, sigma, *pair)
    held = load_entry(entry_of(folder, options={"clip": True}), CPU).denoise(x, sigma, *pair)
    assert float(free.abs().max()) > 1
    assert torch.equal(held, free.clamp(-1, 1))


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"out_channels": 6}, {}),  # with a learned variance
        ({"class_embed_type": "timestep", "num_class_embeds": None}, {"classes": 4}),
        ({"time_embedding_type": "learned", "num_train_timesteps": 1000}, {}),
        ({"in_channels": 1, "out_channels": 1, "sample_size": (8, 16)}, {}),
    ],
)
def test_other_kinds_of_the_network_are_read(
    folder: Path, changes: dict[str, Any], options: dict[str, Any]
) -> None:
    network = write_unet(folder, **changes).eval()
    model: Model = load_entry(entry_of(folder, options=options), CPU)
    shape = model.info.shape
    x, sigma = normal(2, *shape), diffusers_sigma(300).expand(2)
    denoised = model.denoise(x, sigma, torch.tensor([1, 0]), torch.tensor([3, 0]))
    level = float(sigma[0])
    with torch.no_grad():
        read = x[[1, 0]] / (1 + level**2) ** 0.5
        output = network(read, torch.tensor([300, 300]), class_labels=torch.tensor([3, 0])).sample
    expected = x[[1, 0]] - level * output[:, : shape[0]]
    torch.testing.assert_close(denoised, expected, rtol=1e-5, atol=1e-5)


def diffusers_sigma(step: int) -> Tensor:
    signal: Tensor = diffusers.DDPMScheduler().alphas_cumprod[step].double()
    return ((1 - signal) / signal).sqrt()


@pytest.mark.parametrize("kind", [None, "timestep"])
def test_half_of_the_digits_change_the_answer_a_little(folder: Path, kind: str | None) -> None:
    write_unet(folder, class_embed_type=kind)
    x, sigma = normal(3, 3, 8, 8), torch.tensor([0.1, 1.0, 9.0], dtype=torch.float64)
    pairs = torch.arange(3), torch.tensor([0, 2, 1])
    whole, half = (
        load_entry(entry_of(folder, dtype=dtype, options={"classes": 4}), CPU)
        for dtype in ("float32", "bfloat16")
    )
    denoised = half.denoise(x, sigma, *pairs)
    change = denoised - whole.denoise(x, sigma, *pairs)
    assert denoised.dtype == torch.float32 and change.any()
    # What rounding does to the noise, sigma does to the datum.
    assert float((change / sigma.float()[:, None, None, None]).abs().max()) < 0.01


def test_pictures_come_back_as_they_went_in(tiny: Entry) -> None:
    model = load_entry(tiny, CPU)
    assert isinstance(model, ReadsPictures) and model.picture_shape == (8, 8, 3)
    pictures = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8).numpy()
    assert (model.pictures(model.states(pictures)) == pictures).all()


def test_what_it_says_of_itself_follows_its_files(folder: Path, tiny: Entry) -> None:
    info = load_entry(tiny, CPU).info
    assert info.labels == ("cat", "dog", "bird")
    assert info.schedule.sigma_max == pytest.approx(157.4, abs=0.1)
    assert info.weights_hash == load_entry(entry_of(folder), CPU).info.weights_hash
    edit(folder / "scheduler/scheduler_config.json", prediction_type="v_prediction")
    assert info.weights_hash != load_entry(entry_of(folder), CPU).info.weights_hash


def test_weights_may_be_shards_a_variant_or_a_checked_pickle(folder: Path) -> None:
    network = write_unet(folder)
    x, sigma = normal(1, 3, 8, 8), torch.tensor([1.0], dtype=torch.float64)
    pair = torch.tensor([0]), torch.tensor([1])
    expected = load_entry(entry_of(folder), CPU).denoise(x, sigma, *pair)
    for options in (
        {"max_shard_size": "10KB"},
        {"variant": "fp16"},
        {"safe_serialization": False},
    ):
        for path in (folder / "unet").glob("*.safetensors*"):
            path.unlink()
        network.save_pretrained(folder / "unet", **options)
        denoised = load_entry(entry_of(folder), CPU).denoise(x, sigma, *pair)
        # Weights that lie otherwise in memory are summed in another order.
        torch.testing.assert_close(denoised, expected, rtol=1e-5, atol=1e-6)
