"""Branching against exact posteriors of the mixture at -8, -4, 6, 8."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from entroscope.measurement.curves.branching import calibration
from entroscope.measurement.plan.noise_levels import karras
from entroscope.protocol.spec import Schedule
from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.numerics.noise import BRANCHING, TrajectoryNoise
from entroscope_workers.sampling.studies.branching import Branches, MovedBy
from entroscope_workers.sampling.studies.copies import Copies, drawn

MIXTURE = load(torch.device("cpu"))
LABELS = torch.arange(4)
REPEATS = 1000
STATES = torch.tensor([[-6.0], [1.0], [7.5]], dtype=torch.float64)
SIGMA = 4.0


def levels(steps: int = 256) -> list[float]:
    schedule = Schedule(steps=steps, sigma_max=SIGMA, sigma_min=0.05, rho=7)
    return [float(sigma) for sigma in karras(schedule)]


def exact() -> torch.Tensor:
    return MIXTURE.exact.log_posterior(STATES, SIGMA)


def branched(logits: torch.Tensor, moved_by: MovedBy, steps: int = 256) -> NDArray[np.int64]:
    sigmas, numbers = levels(steps), range(len(STATES))
    branches = Branches(
        MIXTURE.denoise, sigmas, STATES, logits, LABELS, 3, numbers, REPEATS, moved_by=moved_by
    )
    assert sum(branches.steps(2**16)) > 0
    return branches.counts


def test_states_of_continuations_end_at_each_class_as_often_as_the_exact_posterior_says() -> None:
    row = torch.arange(3).repeat_interleave(REPEATS)
    copies = [(BRANCHING, i % REPEATS) for i in range(len(row))]
    noise = TrajectoryNoise(0, row.tolist(), (1,), copies)
    uniforms = noise.uniforms(256)
    labels = LABELS.expand(len(row), -1)
    going = Copies(MIXTURE.denoise, levels(), STATES[row], exact()[row], labels, noise)
    for _ in going.steps(lambda step, logits: drawn(logits, uniforms[:, step])):
        pass
    nearest = (going.x - MIXTURE.exact.means[:, 0]).abs().argmin(1)
    found = torch.stack([torch.bincount(own, minlength=4) for own in torch.split(nearest, REPEATS)])
    expected = exact().exp()
    errors = (expected * (1 - expected) / REPEATS).sqrt()
    assert ((found / REPEATS - expected).abs() <= 4 * errors + 0.01).all()


@pytest.mark.parametrize("moved_by", ["posterior", "unconditional"])
def test_final_classes_agree_with_the_exact_posterior(moved_by: MovedBy) -> None:
    found = calibration(exact().exp().numpy(), branched(exact(), moved_by), REPEATS)
    assert found["ok"] and found["degrees"] >= 5


def test_a_posterior_that_is_too_sure_is_found_out_by_the_unconditional_branch() -> None:
    sharp = torch.log_softmax(2 * exact(), 1)
    counts = branched(sharp, "unconditional")
    assert not calibration(sharp.exp().numpy(), counts, REPEATS)["ok"]


def test_calibration_holds_for_counts_of_the_posterior_and_fails_for_those_of_a_sharper_one() -> (
    None
):
    stream = np.random.default_rng(0)
    posterior = stream.dirichlet(np.ones(10) / 3, 40)
    counts = np.stack([stream.multinomial(200, own) for own in posterior])
    assert calibration(posterior, counts, 200)["ok"]
    sharper = posterior**1.2 / (posterior**1.2).sum(1, keepdims=True)
    assert not calibration(sharper, counts, 200)["ok"]


def test_the_error_of_a_bin_is_the_spread_of_its_frequency() -> None:
    stream = np.random.default_rng(1)
    posterior = stream.dirichlet(np.ones(4), 10)
    draws = [
        calibration(posterior, np.stack([stream.multinomial(50, q) for q in posterior]), 50)["bins"]
        for _ in range(400)
    ]
    for index, own in enumerate(draws[0]):
        spread = np.std([bins[index]["frequency"] for bins in draws], ddof=1)
        assert own["se"] == pytest.approx(spread, rel=0.2)


def test_branches_do_not_depend_on_the_slices_they_ran_in() -> None:
    counts = []
    for size in (4 * 7, 2**16):
        own = Branches(MIXTURE.denoise, levels(16), STATES, exact(), LABELS, 0, range(3), 20)
        assert sum(own.steps(size)) == 3 * 20 * 4 * 15
        counts.append(own.counts)
    np.testing.assert_array_equal(counts[0], counts[1])


def run(**branching: Any) -> dict[str, Any]:
    spec = {"trajectories": 64, "previews": None, "studies": {"branching": branching}}
    return measure("gaussian-mixture", spec | {"companions": 0})


def test_a_run_reports_reachable_classes_and_passes_its_check() -> None:
    result = run(sigma=5.643, trajectories=48, repeats=64)
    found = result["studies"]["branching"]
    assert found["n"] == 48  # of two batches
    assert found["sigma"] in result["sigma"]
    (check,) = [c for c in result["checks"] if c["name"].startswith("branching")]
    assert check["ok"] and check["value"] == found["calibration"]["largest_z"]
    for own in found["trajectories"]:
        assert sum(c["frequency"] for c in own["classes"]) == pytest.approx(1)
    spent = result["provenance"]["evaluations"]
    below = len(result["sigma"]) - 1 - result["sigma"].index(found["sigma"])
    assert spent == 64 * 64 * 4 + 48 * 64 * 4 * below


def test_at_the_lowest_levels_one_class_is_left_and_at_the_highest_all() -> None:
    few = run(sigma=0.06287, repeats=16)["studies"]["branching"]
    many = run(sigma=136, repeats=64)["studies"]["branching"]
    assert few["reachable"] == pytest.approx(1, abs=0.1)
    assert many["reachable"] == 4


def test_studies_change_no_number_of_the_curves() -> None:
    plain = measure("gaussian-mixture", {"trajectories": 64, "previews": None, "companions": 0})
    studied = run(sigma=5.643, repeats=8)
    assert plain["curves"] == studied["curves"]
