"""Integrals over ln sigma: exact for cubics, of fourth order, and right across a jump."""

import numpy as np
import pytest

from entroscope.measurement.curves.estimation.integral import integral_weights


def test_cubics_are_integrated_exactly_on_any_levels() -> None:
    times = np.array([0.0, 0.3, 1.1, 1.4, 2.6, 3.0])
    weights = integral_weights(np.exp(-times))
    for power in range(4):
        exact = times ** (power + 1) / (power + 1)
        np.testing.assert_allclose(weights @ times**power, exact, atol=1e-12)


def test_the_error_falls_sixteenfold_with_the_step_halved() -> None:
    def error(count: int) -> float:
        times = np.linspace(0, 3, count)
        return float(abs(integral_weights(np.exp(-times))[-1] @ np.sin(times) - (1 - np.cos(3))))

    assert 12 < error(33) / error(65) < 24


@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_levels_use_the_polynomial_they_allow(count: int) -> None:
    times = np.linspace(0, 1, count)
    assert integral_weights(np.exp(-times))[-1] @ np.ones(count) == pytest.approx(1)


def test_a_jump_is_not_smoothed_over() -> None:
    times = np.linspace(0, 4, 9)
    stairs = np.where(np.arange(9) < 4, 1.0, 5.0)
    ends = integral_weights(np.exp(-times), [4]) @ stairs
    np.testing.assert_allclose(ends, np.cumsum([0, *[0.5] * 4, *[2.5] * 4]), atol=1e-12)
