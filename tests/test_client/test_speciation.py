"""Speciation as a script reads it off a result."""

import pytest

from entroscope.client.result import MeasuredRun
from entroscope.client.speciation import band_width, exact_width, speciation
from entroscope_workers import measure

SPEC = {
    "model": "gaussian-mixture",
    "params": {"kind": "pair", "dimension": 100},
    "schedule": {"steps": 96, "sigma_max": 160, "sigma_min": 0.1},
    "trajectories": 512,
}


def test_a_measured_pair_is_as_wide_as_the_theory_says() -> None:
    run = MeasuredRun(measure("gaussian-mixture", SPEC))
    (decision,) = speciation(run)
    exact, width = exact_width(decision), band_width(run)
    assert exact is not None and width is not None
    assert decision.sigma == pytest.approx(10)
    assert abs(width.time - exact.time) < 4 * width.time_error < exact.time
    assert abs(width.sigma - exact.sigma) < 4 * width.sigma_error < exact.sigma
