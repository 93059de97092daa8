"""What every model must keep, run over those that come along and a tiny one of every family."""

from collections.abc import Iterator

import pytest
import torch
from tiny import tiny_families, write_tiny
from torch import Tensor

from entroscope.measurement.plan.bound import bind_params
from entroscope_workers import measure
from entroscope_workers.library.registry import bundled_names, family_names, load_entry, load_model
from entroscope_workers.models.base import NO_LABEL, Model

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=[*bundled_names(), *map("tiny {}".format, tiny_families())])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    tiny, _, family = request.param.rpartition(" ")
    if not tiny:
        return load_model(family, CPU)
    return load_entry(write_tiny(family, tmp_path_factory.mktemp(family)), CPU)


@pytest.fixture(scope="module")
def model(loaded: Model) -> Iterator[Model]:
    with torch.inference_mode():
        yield loaded.bind({}, bind_params(loaded.info, {}).labels)


def test_every_family_is_under_contract() -> None:
    assert {*bundled_names(), *tiny_families()} == set(family_names())


def num_labels(model: Model) -> int:
    return len(bind_params(model.info, {}).labels)


def states(model: Model, batch: int, sigma: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((batch, *model.info.shape), generator=generator, dtype=model.dtype)
    return x * max(1.0, sigma), torch.full((batch,), sigma, dtype=torch.float64)


def all_pairs(model: Model, batch: int) -> tuple[Tensor, Tensor]:
    labels = torch.arange(num_labels(model))
    return torch.arange(batch).repeat_interleave(len(labels)), labels.repeat(batch)


def close(model: Model, a: Tensor, b: Tensor) -> None:
    size = 1e-9 if model.dtype == torch.float64 else 2e-5
    torch.testing.assert_close(a, b, rtol=size, atol=size * float(b.abs().max()))


def test_it_has_labels_a_schedule_and_a_name(model: Model) -> None:
    info = model.info
    assert num_labels(model) >= 2
    assert 0 < info.schedule.sigma_min < info.schedule.sigma_max
    assert info.family in family_names() and info.name and info.title
    assert info.prior is None or sum(info.prior) == pytest.approx(1)


def test_one_datum_comes_back_for_every_pair(model: Model) -> None:
    x, sigma = states(model, 3, 1.0)
    rows, labels = all_pairs(model, 3)
    denoised = model.denoise(x, sigma, rows, labels)
    assert denoised.shape == (len(rows), *model.info.shape)
    assert denoised.dtype == model.dtype and denoised.device.type == "cpu"


@pytest.mark.parametrize("sigma", [0.05, 1.0, 20.0])
def test_an_answer_does_not_depend_on_the_company_it_is_asked_in(
    model: Model, sigma: float
) -> None:
    x, sigmas = states(model, 5, sigma)
    rows, labels = all_pairs(model, 5)
    together = model.denoise(x, sigmas, rows, labels)
    for pair in (0, len(rows) // 2, len(rows) - 1):
        row = int(rows[pair])
        alone = model.denoise(
            x[row : row + 1], sigmas[:1], torch.tensor([0]), labels[pair : pair + 1]
        )
        close(model, alone[0], together[pair])


def test_pairs_may_come_in_any_order_and_leave_labels_out(model: Model) -> None:
    x, sigmas = states(model, 4, 2.0)
    rows, labels = all_pairs(model, 4)
    whole = model.denoise(x, sigmas, rows, labels)
    some = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))[::3]
    close(model, model.denoise(x, sigmas, rows[some], labels[some]), whole[some])


def test_rows_may_have_noise_levels_of_their_own(model: Model) -> None:
    x, _ = states(model, 3, 1.0)
    sigmas = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    rows, labels = torch.arange(3), torch.zeros(3, dtype=torch.int64)
    mixed = model.denoise(x, sigmas, rows, labels)
    for row in range(3):
        alone = model.denoise(x, sigmas[row].expand(3), rows, labels)
        close(model, alone[row], mixed[row])


def test_without_noise_it_leaves_data_alone_and_at_sigma_max_it_is_finite(model: Model) -> None:
    schedule = model.info.schedule
    rows, labels = all_pairs(model, 2)
    x, tiny = states(model, 2, 1e-5)
    close_to = model.denoise(x, tiny, rows, labels)
    assert float((close_to - x[rows]).abs().max()) < 1e-3
    x, large = states(model, 2, schedule.sigma_max)
    assert model.denoise(x, large, rows, labels).isfinite().all()


def test_the_same_question_has_the_same_answer(model: Model) -> None:
    x, sigmas = states(model, 2, 1.0)
    rows, labels = all_pairs(model, 2)
    first, second = (model.denoise(x, sigmas, rows, labels) for _ in range(2))
    assert torch.equal(first, second)


def test_the_unconditional_branch_is_there_where_it_is_announced(model: Model) -> None:
    if not model.info.unconditional:
        return
    x, sigmas = states(model, 2, 5.0)
    nobody = torch.full((2,), NO_LABEL)
    unconditional = model.denoise(x, sigmas, torch.arange(2), nobody)
    labelled = model.denoise(x, sigmas, torch.arange(2), torch.zeros(2, dtype=torch.int64))
    assert unconditional.isfinite().all() and not torch.equal(unconditional, labelled)


def test_pictures_are_small_and_in_colour(model: Model) -> None:
    x, _ = states(model, 3, 1.0)
    pictures = model.pictures(x)
    assert pictures.dtype.name == "uint8"
    assert pictures.shape[0] == 3 and pictures.shape[3] == 3
    assert all(8 <= side <= 512 for side in pictures.shape[1:3])


#: Where a model has two labels only: no tree grows on them.
NEXT = [{"name": "next", "labels": [1]}]


def others(model: Model) -> list[dict[str, object]]:
    """Return the labels behind the second as a group, if there are any."""
    rest = list(range(2, num_labels(model)))
    return [{"name": "rest", "labels": rest}] if rest else []


def test_a_short_run_passes_its_checks_and_starts_at_the_prior(loaded: Model) -> None:
    tree = [
        {"name": "first", "labels": [0]},
        {"name": "others", "groups": [{"name": "next", "labels": [1]}, *others(loaded)]},
    ]
    spec = {
        "trajectories": 24,
        "schedule": {"steps": 12},
        "partitions": {"classes": None, "tree": tree if others(loaded) else tree[:1] + NEXT},
    }
    result = measure(loaded, spec)
    for curve in result["curves"].values():
        assert curve["entropy"][0] == pytest.approx(curve["bound"])
    checks = {check["name"]: check["ok"] for check in result["checks"]}
    assert "chain_rule[tree]" in checks or not others(loaded)
    failed = {name.partition("[")[0] for name, ok in checks.items() if not ok}
    assert failed <= {"production_integral"}  # 12 steps are too few for that one


def test_numbers_of_a_run_do_not_depend_on_its_batches(loaded: Model) -> None:
    spec = {"trajectories": 8, "schedule": {"steps": 8}, "previews": None}
    curves = []
    for sizes in ({"first": 8, "largest": 8}, {"first": 1, "largest": 3}):
        run = measure(loaded, {**spec, "batch_sizes": sizes})
        curves.append(torch.tensor(run["curves"]["classes"]["entropy"], dtype=torch.float64))
    limit = 1e-9 if loaded.dtype == torch.float64 else 1e-3
    assert float((curves[0] - curves[1]).abs().max()) <= limit
