"""A model is asked in calls that its device can hold."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from entroscope.measurement.curves.records import Preview, Record
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import EntroscopeError
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.library.probe import GROWTH, probe, probed
from entroscope_workers.library.registry import load_model
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture, load
from entroscope_workers.sampling.call_sizes import (
    CallSizes,
    DoesNotFit,
    slice_evaluations,
    slices,
)
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.runner import run_batch

CPU = torch.device("cpu")
SPEC = {"trajectories": 24, "schedule": {"steps": 8}, "previews": None}


@dataclasses.dataclass(frozen=True)
class Small(GaussianMixture):
    """A mixture on a device that holds so many evaluations at a time."""

    room: int = 1
    asked: list[int] = dataclasses.field(default_factory=list)

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        self.asked.append(len(rows))
        if len(rows) > self.room:
            raise torch.OutOfMemoryError(f"out of memory. Tried to allocate {len(rows)} GiB.")
        return super().denoise(x, sigma, rows, labels)


def small(room: int) -> Small:
    return Small(CPU, load(CPU).mixture, room=room)


def curves(result: dict[str, Any]) -> Tensor:
    curve = result["curves"]["classes"]
    return torch.tensor([curve["entropy"], curve["production"]], dtype=torch.float64)


def test_out_of_memory_splits_the_call_and_changes_no_number() -> None:
    whole, split = measure(load(CPU), SPEC), measure(small(5), SPEC)
    assert torch.allclose(curves(whole), curves(split), rtol=0, atol=1e-9)
    assert whole["provenance"]["micro_batches"] == 1
    assert split["provenance"]["micro_batches"] >= 24 * 4 / 5


def test_a_size_that_did_not_fit_is_not_tried_again() -> None:
    model = small(5)
    measure(model, SPEC)
    refused = [size for size in model.asked if size > model.room]
    assert refused == [96, 48, 24, 12, 6]


def test_what_does_not_fit_at_all_says_what_it_needed() -> None:
    with pytest.raises(DoesNotFit, match=r"'gaussian-mixture'.*Tried to allocate 1 GiB"):
        measure(small(0), SPEC)
    assert not issubclass(DoesNotFit, EntroscopeError)


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    loaded = LoadedModel(load(CPU), None, CallSizes(8))
    with pytest.raises((RuntimeError, IndexError), match="index"):
        loaded.denoise(
            torch.zeros(1, 1, dtype=torch.float64),
            torch.ones(1, dtype=torch.float64),
            torch.tensor([3]),
            torch.tensor([0]),
        )
    assert loaded.sizes.call == 8


def test_a_call_reads_only_the_rows_it_needs() -> None:
    model = load_model("fashion-mnist", CPU)
    generator = torch.Generator().manual_seed(0)
    x, sigma = torch.randn((3, 1, 28, 28), generator=generator), torch.tensor([0.1, 1.0, 9.0])
    rows, labels = torch.tensor([2, 0, 1, 2, 2, 0]), torch.tensor([0, 1, 2, 3, -1, 5])
    whole = model.denoise(x, sigma.double(), rows, labels)
    loaded = LoadedModel(model, None, CallSizes(2))
    split = loaded.denoise(x, sigma.double(), rows, labels)
    torch.testing.assert_close(split, whole, rtol=1e-4, atol=1e-4)
    assert loaded.calls == 3


def test_the_probe_stays_within_what_fits() -> None:
    model = small(20)
    found = probe(model)
    assert found.complete and max(found.rates) <= 20
    assert max(model.asked) <= 20 * GROWTH
    assert probed(small(20))[0].sizes.call <= 20


def test_a_probe_that_is_cut_short_does_not_make_calls_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine may be busy at the start of a worker, and free when it runs."""
    monkeypatch.setattr("entroscope_workers.library.probe.ENOUGH_S", 0.0)
    model = load_model("fashion-mnist", CPU)
    found = probe(model)
    assert found.best == 1 and not found.complete
    assert CallSizes.measured(found.rates, model, complete=found.complete).call >= 1000


def test_the_rate_of_a_quick_model_counts_all_that_a_batch_does() -> None:
    model = load(CPU)
    (_, info), asked = probed(model), probe(model).evaluations_per_second
    assert info.pairs_per_second is not None
    assert info.pairs_per_second < asked / 2  # noise, scores and values cost more than asking


def test_the_probe_refuses_a_model_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        probe(small(0))


def test_a_slice_of_small_data_fits_a_cache_and_of_large_data_is_not_one_evaluation() -> None:
    assert slice_evaluations(CPU, 1) * 8 <= 2**20
    assert slice_evaluations(CPU, 2**20) >= 16


def test_the_largest_call_that_is_about_as_fast_as_the_best_is_taken() -> None:
    rates = {1: 10.0, 4: 99.0, 16: 100.0, 64: 96.0, 256: 90.0}
    assert CallSizes.measured(rates, load(CPU), complete=True).call == 64


@pytest.mark.parametrize(
    ("needed", "bounds"),
    [
        ([3] * 5, [(0, 2), (2, 4), (4, 5)]),
        ([3, 1, 1, 1], [(0, 2), (2, 4)]),
        ([1] * 4, [(0, 2), (2, 4)]),
        ([3], [(0, 1)]),
    ],
)
def test_rows_are_cut_so_that_all_labels_they_need_together_fit(
    needed: list[int], bounds: list[tuple[int, int]]
) -> None:
    assert [(s.start, s.stop) for s in slices(needed, 3, 6)] == bounds
    assert [(s.start, s.stop) for s in slices(needed, 3, 1)] == [
        (row, row + 1) for row in range(len(needed))
    ]


def test_previews_come_in_the_order_of_their_steps_and_before_the_record() -> None:
    model = load(CPU)
    spec = Spec.model_validate({"model": "gaussian-mixture", "schedule": {"steps": 12}})
    plan = resolve(spec, model.info)
    payloads = list(run_batch(plan, 0, model))
    sheets = [each.header["step"] for each in payloads if isinstance(each, Preview)]
    assert sheets == list(range(12)) and isinstance(payloads[-1], Record)
