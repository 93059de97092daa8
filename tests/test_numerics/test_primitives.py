"""Kernels, posteriors and entropies: closed forms and invariants."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from entroscope_workers.numerics.entropy import (
    cross_entropy,
    posterior_entropy,
    varentropy,
)
from entroscope_workers.numerics.kernels import kernel_mean, log_likelihoods, reverse_kernel
from entroscope_workers.numerics.mixtures import pair_entropy, pair_production
from entroscope_workers.numerics.noise import TrajectoryNoise
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior, own_group

CPU = torch.device("cpu")
EACH = Grouping.of(((0,), (1,), (2,), (3,)), CPU)
HALVES = Grouping.of(((0, 3), (1, 2)), CPU)
SOME = Grouping.of(((3,), (0, 1)), CPU)

logits = st.lists(st.floats(-200, 200), min_size=4, max_size=4).map(
    lambda row: torch.tensor([row], dtype=torch.float64)
)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def apart_of(denoised: Tensor) -> tuple[Tensor, Tensor]:
    apart = denoised - denoised[:, :1]
    return apart, apart.square().sum(2)


@pytest.mark.parametrize(("sigma", "sigma_next"), [(2.0, 1.0), (80.0, 0.02), (1.0, 0.999)])
def test_a_reverse_step_lands_on_the_next_noise_level(sigma: float, sigma_next: float) -> None:
    # x = x0 + sigma n with the true x0 as D: x' must have variance sigma_next^2 around x0.
    kernel = reverse_kernel(sigma, sigma_next)
    variance = kernel.keep**2 * sigma**2 + kernel.std**2
    assert variance == pytest.approx(sigma_next**2, rel=1e-12)


@pytest.mark.parametrize(("sigma", "sigma_next"), [(1.0, 1.0), (1.0, 2.0), (1.0, 0.0)])
def test_a_step_that_does_not_go_down_to_a_positive_level_is_refused(
    sigma: float, sigma_next: float
) -> None:
    with pytest.raises(ValueError, match="0 < b < a"):
        reverse_kernel(sigma, sigma_next)


def test_log_likelihoods_differ_as_the_gaussians_do() -> None:
    kernel = reverse_kernel(1.5, 0.7)
    x, x_next, denoised = normal(3, 5), normal(3, 5, seed=1), normal(3, 4, 5, seed=2)
    means = torch.stack([kernel_mean(kernel, x, denoised[:, z]) for z in range(4)], 1)
    direct = -(x_next[:, None] - means).square().sum(2) / (2 * kernel.std**2)
    apart, squared = apart_of(denoised)
    found = log_likelihoods(kernel, x_next - means[:, 0], apart, squared)
    torch.testing.assert_close(found - found[:, :1], direct - direct[:, :1])


def test_log_likelihoods_keep_the_small_differences_of_float32_states() -> None:
    kernel = reverse_kernel(0.021, 0.02)
    x = normal(1, 4096).float()
    denoised = x[:, None].repeat(1, 2, 1)
    denoised[:, 1] += 2**-20
    x_next = kernel_mean(kernel, x, denoised[:, 0]) + kernel.std * normal(1, 4096, seed=1).float()
    apart = (denoised - denoised[:, :1]).double()
    residual = (x_next - kernel_mean(kernel, x, denoised[:, 0])).double()
    found = log_likelihoods(kernel, residual, apart, apart.square().sum(2))
    share = 1 - kernel.keep
    exact = share * (residual * apart[:, 1]).sum() - share**2 * 4096 * 2**-40 / 2
    assert float(found[0, 1]) == pytest.approx(float(exact) / kernel.std**2, rel=1e-9)


@given(logits)
def test_posteriors_are_normalised_and_groups_add_up(row: Tensor) -> None:
    for grouping in (EACH, HALVES, SOME):
        members, groups = group_log_posterior(row, grouping)
        assert float(members.exp().sum()) == pytest.approx(1)
        assert float(groups.exp().sum()) == pytest.approx(1)
    inside = torch.softmax(row[:, [3, 0, 1]], 1)[0]
    expected = [float(inside[0]), float(inside[1] + inside[2])]
    assert group_log_posterior(row, SOME)[1].exp()[0].tolist() == pytest.approx(expected)


@given(logits)
def test_entropy_stays_between_0_and_the_logarithm_of_the_number_of_groups(row: Tensor) -> None:
    for grouping in (EACH, HALVES):
        _, groups = group_log_posterior(row, grouping)
        entropy = float(posterior_entropy(groups))
        assert -1e-12 <= entropy <= math.log2(grouping.num_groups) + 1e-12


@given(logits)
def test_the_chain_rule_holds_for_every_posterior(row: Tensor) -> None:
    # H[Z] = H[Y] + sum_Y p_Y H[Z | Y]
    members, groups = group_log_posterior(row, HALVES)
    inside = 0.0
    for group, pair in enumerate(((0, 3), (1, 2))):
        within, _ = group_log_posterior(row[:, pair], Grouping.of(((0,), (1,)), CPU))
        inside += float(groups[0, group].exp() * posterior_entropy(within))
    assert float(posterior_entropy(members)) == pytest.approx(
        float(posterior_entropy(groups)) + inside, abs=1e-9
    )


@given(logits)
def test_entropy_and_varentropy_are_mean_and_variance_of_the_cross_entropy(row: Tensor) -> None:
    _, groups = group_log_posterior(row, EACH)
    p = groups[0].exp()
    surprise = torch.cat([cross_entropy(groups, torch.tensor([z])) for z in range(4)])
    surprise = torch.where(p > 0, surprise, 0)
    assert float(posterior_entropy(groups)) == pytest.approx(float(p @ surprise), abs=1e-9)
    variance = float(p @ surprise**2) - float(p @ surprise) ** 2
    assert float(varentropy(groups)) == pytest.approx(variance, abs=1e-6, rel=1e-6)


def test_a_trajectory_outside_the_partition_has_no_group_and_no_cross_entropy() -> None:
    truth = own_group(torch.tensor([0, 2, 3]), SOME)
    assert truth.tolist() == [1, -1, 0]
    _, groups = group_log_posterior(normal(3, 4), SOME)
    assert torch.isnan(cross_entropy(groups, truth)).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("r", "bits"), [(0.1, 0.99282235), (0.5, 0.83925278), (1, 0.51405585), (2, 0.08717771)]
)
def test_the_entropy_of_a_pair_is_the_tabled_one(r: float, bits: float) -> None:
    assert pair_entropy(r) / math.log(2) == pytest.approx(bits, abs=2e-8)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
def test_the_production_of_a_pair_is_the_slope_of_its_entropy(sigma: float) -> None:
    def entropy(log_sigma: float) -> float:
        return pair_entropy(2 / math.sqrt(1 + math.exp(2 * log_sigma)))

    step, at = 1e-4, math.log(sigma)
    slope = (entropy(at + step) - entropy(at - step)) / (2 * step)
    assert pair_production(2 / math.sqrt(1 + sigma**2), sigma) == pytest.approx(slope, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**53 - 1), st.lists(st.integers(0, 10**6), min_size=1, max_size=5))
def test_noise_belongs_to_the_trajectory(seed: int, trajectories: list[int]) -> None:
    together = TrajectoryNoise(seed, trajectories, (3,))
    uniforms, normals = together.uniforms(2), [together.normals() for _ in range(3)]
    for row, trajectory in enumerate(trajectories):
        alone = TrajectoryNoise(seed, [trajectory], (3,))
        np.testing.assert_array_equal(alone.uniforms(2)[0], uniforms[row])
        for step in normals:
            np.testing.assert_array_equal(alone.normals()[0], step[row])


@pytest.mark.parametrize("draws", [1, 5, 16, 17, 40])
def test_noise_drawn_ahead_is_the_noise_drawn_when_asked_for(draws: int) -> None:
    asked = TrajectoryNoise(3, range(4), (7,))
    with ThreadPoolExecutor(1) as pool:
        ahead = TrajectoryNoise(3, range(4), (7,), draws=draws, pool=pool)
        np.testing.assert_array_equal(asked.uniforms(2), ahead.uniforms(2))
        for _ in range(36):
            np.testing.assert_array_equal(asked.normals(), ahead.normals())


def test_noise_is_standard_normal_and_independent() -> None:
    noise = TrajectoryNoise(0, range(200), (50,))
    first, second = noise.normals(), noise.normals()
    assert abs(first.mean()) < 0.05 and abs(first.std() - 1) < 0.05
    assert abs((first * second).mean()) < 0.05
    assert abs((first[1:] * first[:-1]).mean()) < 0.05
