"""Control variates: less noise, the same truth, and bands that stay honest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope.measurement.curves.estimation.control_variates import combined
from entroscope.measurement.curves.moments import (
    MAX_CONTROL_STEPS,
    SUMS,
    Moments,
    control_levels,
    merged,
)
from entroscope.protocol.quantities import ENTROPY, MISSED, PRODUCTION, QUANTITIES

Array = NDArray[np.float64]
STEPS = 12
PRIOR = np.array([0.5, 0.3, 0.2])


def table_of(n: int, seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Values whose true means are known: entropy 1, production 2, and M = 0 at every level."""
    stream = np.random.default_rng(seed)
    labels = stream.choice(3, n, p=PRIOR)
    missed = np.cumsum(stream.standard_normal((STEPS, n)), 0)
    missed -= missed[0]
    noise = stream.standard_normal((2, STEPS, n))
    by_label = np.array([1.0, -1.0, -1.0])[labels]  # mean 0 under the prior
    table = np.zeros((len(QUANTITIES), STEPS, n))
    table[ENTROPY.row] = 1 + 0.7 * missed + 3 * by_label + 0.1 * noise[0]
    table[PRODUCTION.row] = 2 - 0.4 * np.roll(missed, 1, 0) + 0.1 * noise[1]
    table[MISSED.row] = missed
    return table, labels


def moments_of(n: int, seed: int) -> Moments:
    table, labels = table_of(n, seed)
    return Moments.of(table, labels, 3)


def test_what_the_controls_explain_is_no_longer_noise() -> None:
    moments = moments_of(400, 0)
    regressed = combined(moments, "entropy", PRIOR)
    assert (np.abs(regressed.mean - 1) < 5 * regressed.error).all()
    assert (regressed.error < 0.1 / 400**0.5 * 1.2).all()  # what is left is the noise of 0.1
    assert (moments.error("entropy") > 20 * regressed.error).all()


def test_the_level_before_serves_as_a_control_too() -> None:
    moments = moments_of(400, 0)
    error = combined(moments, "production", PRIOR).error[2:]
    assert (error < 0.1 / 400**0.5 * 1.2).all()


def test_bands_after_regression_cover_in_92_to_98_percent_of_cases() -> None:
    """12 levels, 300 trajectories, 200 seeds, 13 controls."""
    inside = []
    for seed in range(200):
        regressed = combined(moments_of(300, seed), "entropy", PRIOR)
        inside.append(np.abs(regressed.mean - 1) <= 1.96 * regressed.error)
    assert 0.92 <= np.mean(inside) <= 0.98, np.mean(inside)


def test_it_is_the_regression_over_the_trajectories_themselves() -> None:
    table, labels = table_of(500, 3)
    missed, entropy = table[MISSED.row], table[ENTROPY.row]
    level = 7
    shared = [missed[k] for k in control_levels(STEPS)]
    indicators = [(labels == z) - PRIOR[z] for z in range(2)]  # the third is what is left
    columns = np.stack([np.ones(500), *shared, *indicators, missed[level], missed[level - 1]], 1)
    solution, _, rank, _ = np.linalg.lstsq(columns, entropy[level], rcond=1e-9)
    regressed = combined(Moments.of(table, labels, 3), "entropy", PRIOR)
    residual = entropy[level] - columns @ solution
    assert regressed.mean[level] == pytest.approx(solution[0], abs=1e-9)
    expected = (residual @ residual / (500 - rank) / 500) ** 0.5
    assert regressed.error[level] == pytest.approx(expected, rel=1e-6)


def test_batches_merge_to_the_same_combination_as_one() -> None:
    table, labels = table_of(300, 1)
    cuts = (slice(0, 90), slice(90, 300))
    parts = merged(Moments.of(table[:, :, cut], labels[cut], 3) for cut in cuts)
    whole = combined(Moments.of(table, labels, 3), "production", PRIOR)
    np.testing.assert_allclose(combined(parts, "production", PRIOR).mean, whole.mean, atol=1e-10)
    np.testing.assert_allclose(combined(parts, "production", PRIOR).error, whole.error, rtol=1e-6)


def test_records_without_controls_still_merge_with_those_that_have_them() -> None:
    one, other = moments_of(90, 1), moments_of(60, 2)
    early = Moments.of_sums({name: getattr(one, name) for name in SUMS})
    both = early + other
    np.testing.assert_allclose(both.mean("entropy"), (one + other).mean("entropy"), rtol=1e-12)
    regressed = combined(both, "entropy", PRIOR)
    np.testing.assert_array_equal(regressed.error, both.error("entropy"))


@pytest.mark.parametrize("n", [0, 1, 2, 19])
def test_with_too_few_trajectories_it_is_the_plain_mean(n: int) -> None:
    moments = moments_of(n, 2)
    regressed = combined(moments, "entropy", PRIOR)
    np.testing.assert_array_equal(regressed.mean, moments.mean("entropy"))
    np.testing.assert_array_equal(regressed.error, moments.error("entropy"))


def test_the_sums_of_very_long_grids_stay_small() -> None:
    steps = MAX_CONTROL_STEPS + 1
    table = np.random.default_rng(0).random((len(QUANTITIES), steps, 40))
    moments = Moments.of(table, np.zeros(40, np.int64), 3)
    assert moments.cross.size == moments.gram.size == 0
    regressed = combined(moments, "entropy", np.array([1.0, 0, 0]))
    np.testing.assert_array_equal(regressed.mean, moments.mean("entropy"))
