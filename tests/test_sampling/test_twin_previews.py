"""Twin previews: one noise, several labels, and not a number changed."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope.measurement.curves.records import Preview, Record
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.spec import Spec
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.previews.twins import TwinPreviews
from entroscope_workers.sampling.runner import run_batch

ONE, OTHER, STD = [-3.0, 0.0], [3.0, 1.0], 0.5
TWO = {"kind": "points", "means": [ONE, OTHER], "std": STD}
PAIRED = {"samples": 6, "paired": True}
MODEL = load(torch.device("cpu"))


def plan_of(**fields: Any) -> Plan:
    spec = {"model": "gaussian-mixture", "params": TWO, "schedule": {"steps": 24}, **fields}
    return resolve(Spec.model_validate({"previews": PAIRED, **spec}), MODEL.info)


def differences(plan: Plan) -> NDArray[np.float64]:
    """Return how far apart two components move one noise, (steps, 2): no noise is left in it."""
    apart, between = np.subtract(OTHER, ONE), np.zeros(2)
    found = []
    for step, sigma in enumerate(plan.sigmas):
        kept = STD**2 / (STD**2 + sigma**2)
        denoised = (1 - kept) * apart + kept * between
        found.append(denoised)
        if step + 1 < len(plan.sigmas):
            ratio = (plan.sigmas[step + 1] / sigma) ** 2
            between = ratio * between + (1 - ratio) * denoised
    return np.array(found)


def test_what_two_labels_make_of_one_noise_differs_as_the_kernels_say() -> None:
    plan = plan_of()
    paired = TwinPreviews(plan, LoadedModel.of(MODEL).bind(TWO, plan.labels))
    for expected in differences(plan):
        samples, denoised = paired.step()
        assert [sample["pair"] for sample in samples] == [0, 0, 1, 1, 2, 2]
        assert [sample["label"] for sample in samples] == list(plan.labels) * 3
        apart = (denoised[1::2] - denoised[::2]).numpy()
        np.testing.assert_allclose(apart, np.tile(expected, (3, 1)), atol=1e-9)
    assert float(denoised[::2].std(0).min()) > 0.05  # the noises themselves differ


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"guidance": {"scale": 2.0, "interval": [0.5, 20]}},
        {"partitions": {"rest": "each-vs-rest"}, "complement": "rebuilt"},
    ],
    ids=["plain", "guided", "complement"],
)
def test_twin_previews_never_change_a_number(fields: dict[str, Any]) -> None:
    spec = {"params": TWO, "schedule": {"steps": 12}, "trajectories": 40, **fields}
    plain = measure(MODEL, {**spec, "previews": None})
    shown = measure(MODEL, {**spec, "previews": PAIRED})
    assert plain["curves"] == shown["curves"]
    spent = [run["provenance"]["evaluations"] for run in (plain, shown)]
    assert 6 * 2 * 12 <= spent[1] - spent[0] <= 6 * 3 * 12


@pytest.mark.parametrize("guidance", [None, {"scale": 3.0}])
def test_the_price_before_a_run_is_what_it_takes(guidance: dict[str, Any] | None) -> None:
    plan = plan_of(trajectories=40, guidance=guidance)
    batches = range(len(plan.batches))
    payloads = [payload for index in batches for payload in run_batch(plan, index, MODEL)]
    facts = [payload.facts for payload in payloads if isinstance(payload, Record)]
    assert sum(fact["evaluations"] for fact in facts) == plan.evaluations
    assert sum(fact["evaluations_full"] for fact in facts) == plan.evaluations
    headers = [payload.header for payload in payloads if isinstance(payload, Preview)]
    assert [len(header["samples"]) for header in headers] == [6] * len(plan.sigmas)


def test_of_many_labels_the_first_share_a_noise_and_tell_no_posterior() -> None:
    many = {"kind": "random", "components": 9, "dimension": 4, "spread": 4, "std": 1, "seed": 0}
    plan = plan_of(params=many, previews={"samples": 10, "paired": True})
    bound = LoadedModel.of(MODEL).bind(many, plan.labels)
    samples, denoised = TwinPreviews(plan, bound).step()
    assert [sample["label"] for sample in samples] == list(plan.labels[:4]) * 2
    assert {sample["posterior"] for sample in samples} == {None} and len(denoised) == 8


def test_a_single_sample_has_nothing_to_be_paired_with() -> None:
    plan = plan_of(trajectories=4, previews={"samples": 1, "paired": True})
    headers = [p.header for p in run_batch(plan, 0, MODEL) if isinstance(p, Preview)]
    assert [len(header["samples"]) for header in headers] == [1] * len(plan.sigmas)
    assert "pair" not in headers[0]["samples"][0]
