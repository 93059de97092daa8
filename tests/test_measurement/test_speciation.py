"""Speciation times and widths against the closed forms of guide: Known answers."""

import math

import numpy as np
import pytest

from entroscope.measurement.mixtures.speciation import (
    PairDecision,
    crossing,
    exact_width,
    measured_width,
    pair_decisions,
    pair_entropy,
    ratio_at,
)

ENTROPIES = {0.1: 0.99282235, 0.5: 0.83925278, 1.0: 0.51405585, 2.0: 0.08717771, 3.0: 0.00555329}
SIGMA_WIDTHS = {10: 1.02, 100: 3.06, 1000: 9.65, 10000: 30.49}


def unit_pair(dimension: int) -> PairDecision:
    (decision,) = pair_decisions(
        {"model": "gaussian-mixture", "params": {"kind": "pair", "dimension": dimension}}
    )
    return decision


@pytest.mark.parametrize("r", ENTROPIES)
def test_the_entropy_of_a_pair_is_the_tabulated_one(r: float) -> None:
    assert pair_entropy(r) == pytest.approx(ENTROPIES[r], abs=2e-8)
    assert ratio_at(ENTROPIES[r]) == pytest.approx(r, abs=1e-6)


@pytest.mark.parametrize("dimension", SIGMA_WIDTHS)
def test_a_unit_pair_parts_at_half_the_log_of_its_dimension(dimension: int) -> None:
    decision = unit_pair(dimension)
    assert decision.time == pytest.approx(0.5 * math.log(dimension))
    assert decision.sigma == pytest.approx(math.sqrt(dimension))
    assert decision.time is not None
    width = math.exp(decision.time)  # sqrt(s^2 + sigma^2) at t_s, for s = 1
    assert pair_entropy(decision.distance / width) == pytest.approx(0.51405585, abs=2e-8)


@pytest.mark.parametrize("dimension", SIGMA_WIDTHS)
def test_the_band_keeps_its_width_in_time_and_grows_with_the_root_in_sigma(dimension: int) -> None:
    width = exact_width(unit_pair(dimension))
    assert width is not None
    assert width.time == pytest.approx(0.30830837, abs=1e-7)
    assert width.sigma == pytest.approx(SIGMA_WIDTHS[dimension], abs=0.005)
    if dimension > 100:
        assert width.sigma == pytest.approx(0.305 * math.sqrt(dimension), rel=2e-3)


def test_a_tree_has_one_decision_for_each_level_and_other_mixtures_none() -> None:
    params = {"kind": "tree", "dimension": 64, "offsets": [1.0, 4.0]}
    decisions = pair_decisions({"model": "gaussian-mixture", "params": params})
    assert [(d.name, d.distance) for d in decisions] == [("level 2", 32.0), ("level 1", 8.0)]
    two = {"kind": "points", "means": [[0.0, 0.0], [6.0, 8.0]], "std": 2.0}
    assert pair_decisions({"model": "gaussian-mixture", "params": two}) == (
        PairDecision("", 5.0, 2.0),
    )
    assert pair_decisions({"model": "gaussian-mixture"}) == ()
    assert pair_decisions({"model": "fashion-mnist", "params": {}}) == ()


def test_a_decision_that_is_made_before_the_start_has_no_time() -> None:
    assert PairDecision("", 1.0, 1.0).time is None
    assert exact_width(PairDecision("", 1.0, 3.0)) is None


def test_the_width_of_a_fine_exact_curve_is_the_exact_width() -> None:
    decision = unit_pair(100)
    sigma = np.geomspace(100, 0.5, 400)
    entropy = [pair_entropy(decision.distance / math.hypot(1, level)) for level in sigma]
    exact, read = exact_width(decision), measured_width(sigma, entropy, np.full(400, 0.01))
    assert exact is not None and read is not None
    assert read.time == pytest.approx(exact.time, rel=1e-3)
    assert read.sigma == pytest.approx(exact.sigma, rel=1e-3)
    slope = (0.6 - 0.4) / exact.time  # bits per unit of VP time, about the same at both ends
    assert read.time_error == pytest.approx(math.sqrt(2) * 0.01 / slope, rel=0.1)


def test_of_several_crossings_the_middle_one_counts_and_unknown_points_are_passed_over() -> None:
    sigma, error = [32.0, 16.0, 8.0, 4.0, 2.0], np.zeros(5)
    noisy = crossing(sigma, [0.9, 0.4, 0.6, 0.4, 0.1], error, 0.5)
    assert noisy is not None and 8 < noisy[0] < 16
    assert crossing(sigma, [0.9, np.nan, 0.2, 0.1, 0.0], error, 0.5) is None
    on_the_level = crossing(sigma, [0.9, 0.5, 0.2, 0.1, 0.0], error, 0.5)
    assert on_the_level is not None and on_the_level[0] == pytest.approx(16)
    assert measured_width(sigma, [0.3, 0.2, 0.1, 0.1, 0.0], error) is None


@pytest.mark.parametrize("bits", [0.0, 1.0, -0.1])
def test_an_entropy_that_no_pair_has_is_refused(bits: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ratio_at(bits)
