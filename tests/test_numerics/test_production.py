"""Production: the disagreement of denoisers, in bits per unit of ln sigma."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from entroscope_workers.numerics.mixtures import Mixture, line_truth
from entroscope_workers.numerics.posterior import Grouping, group_log_posterior
from entroscope_workers.numerics.production import disagreement, moved_term, production

CPU = torch.device("cpu")
EACH = Grouping.of(((0,), (1,), (2,), (3,)), CPU)
HALVES = Grouping.of(((0, 3), (1, 2)), CPU)
SOME = Grouping.of(((3,), (0, 1)), CPU)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def apart_of(denoised: Tensor) -> tuple[Tensor, Tensor]:
    apart = denoised - denoised[:, :1]
    return apart, apart.square().sum(2)


@pytest.mark.parametrize("sigma", [0.4, 2.0, 9.0])
def test_its_mean_over_a_mixture_is_the_exact_production(sigma: float) -> None:
    means = torch.tensor([[-8.0], [-4.0], [6.0], [8.0]], dtype=torch.float64)
    mixture = Mixture(means, 0.5, torch.full((4,), 0.25, dtype=torch.float64))
    width = math.hypot(0.5, sigma)
    x = torch.linspace(-8 - 9 * width, 8 + 9 * width, 20001, dtype=torch.float64)[:, None]
    density = torch.exp(-((x - means.T) ** 2) / (2 * width**2)).sum(1)
    labels = torch.arange(4).expand(len(x), 4)
    denoised = torch.stack(
        [mixture.denoise(x, torch.full((len(x),), sigma).double(), labels[:, z]) for z in range(4)],
        1,
    )
    members, groups = group_log_posterior(mixture.log_posterior(x, sigma), EACH)
    values = production(sigma, *apart_of(denoised), members, groups, EACH)
    mean = float((values * density).sum() / density.sum())
    assert mean == pytest.approx(line_truth(mixture, sigma)[1] / math.log(2), rel=1e-6)


@pytest.mark.parametrize("grouping", [EACH, HALVES, SOME], ids=["each", "halves", "some"])
def test_a_state_that_is_moved_otherwise_adds_the_moved_term(grouping: Grouping) -> None:
    denoised, moved, row = normal(2, 4, 6), normal(2, 6, seed=1), normal(2, 4, seed=3)
    members, groups = group_log_posterior(row, grouping)
    apart, squared = apart_of(denoised)
    relative = moved - denoised[:, 0]
    plain = production(0.5, apart, squared, members, groups, grouping)
    guided = production(0.5, apart, squared, members, groups, grouping, relative)
    term = moved_term(apart, members, groups, grouping, relative)
    torch.testing.assert_close(guided - plain, term / 0.25 / math.log(2))
    p = members.exp()
    inside = denoised[:, grouping.columns]
    centre = (p[..., None] * inside).sum(1)
    direct = 2 * sum(
        p[:, i] * groups[:, g] * ((inside[:, i] - centre) * (moved - centre)).sum(1)
        for i, g in enumerate(grouping.group.tolist())
    )
    np.testing.assert_allclose(term, direct, rtol=1e-9)


@pytest.mark.parametrize("grouping", [EACH, HALVES, SOME], ids=["each", "halves", "some"])
def test_disagreement_is_the_spread_of_the_groups_denoised_data(grouping: Grouping) -> None:
    denoised, row = normal(2, 4, 6), normal(2, 4, seed=3)
    members, groups = group_log_posterior(row, grouping)
    spread = disagreement(*apart_of(denoised), members, groups, grouping)
    for sample in range(2):
        p = dict(zip(grouping.columns.tolist(), members[sample].exp(), strict=True))
        centre = sum(p[z] * denoised[sample, z] for z in p)
        expected = 0.0
        for group in range(grouping.num_groups):
            inside = [z for z, g in zip(p, grouping.group.tolist(), strict=True) if g == group]
            mass = sum(p[z] for z in inside)
            mean = sum(p[z] * denoised[sample, z] for z in inside) / mass
            expected += float(mass * (mean - centre).square().sum())
        assert float(spread[sample]) == pytest.approx(expected, rel=1e-9)


def test_disagreement_does_not_depend_on_the_label_it_is_taken_against() -> None:
    denoised, row = normal(2, 4, 6), normal(2, 4, seed=3)
    members, groups = group_log_posterior(row, HALVES)
    first = disagreement(*apart_of(denoised), members, groups, HALVES)
    apart = denoised - denoised[:, 2:3]
    other = disagreement(apart, apart.square().sum(2), members, groups, HALVES)
    torch.testing.assert_close(first, other)
