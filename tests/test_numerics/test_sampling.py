"""Sampling alone, against the mixture at -8, -4, 6, 8."""

import math

import pytest
import torch
from torch import Generator, Tensor

from entroscope.measurement.plan.noise_levels import karras
from entroscope.protocol.spec import Schedule
from entroscope_workers.models.families.gaussian_mixture import load
from entroscope_workers.numerics.sampling import sample

MODEL = load(torch.device("cpu"))
SIGMAS = karras(Schedule(steps=256, sigma_max=100, sigma_min=0.02, rho=7)).tolist()
N = 1000


def sampled(label: int, scale: float, low: float = 0.0, high: float = math.inf) -> Tensor:
    generator = Generator().manual_seed(label)
    x = SIGMAS[0] * torch.randn((N, 1), generator=generator, dtype=torch.float64)
    scales = [scale if low < sigma <= high else 1.0 for sigma in SIGMAS]
    labels = torch.full((N,), label)
    return sample(MODEL.denoise, x, labels, SIGMAS, scales, generator)[:, 0]


@pytest.mark.parametrize("label", [0, 2])
def test_unguided_samples_are_those_of_their_component(label: int) -> None:
    found, mean = sampled(label, 1.0), float(MODEL.exact.means[label, 0])
    assert abs(float(found.mean()) - mean) < 4 * 0.5 / math.sqrt(N) + 0.02
    assert float(found.std()) == pytest.approx(0.5, rel=0.1)


def test_guidance_pushes_a_class_away_from_its_neighbour_inside_its_interval_only() -> None:
    plain = sampled(1, 1.0)  # at -4, beside -8 and far from 6 and 8
    torch.testing.assert_close(sampled(1, 4.0, low=1e3), plain, rtol=0, atol=0)
    assert float(sampled(1, 4.0).mean() - plain.mean()) > 0.1


def test_a_guided_step_takes_two_evaluations_and_any_other_one() -> None:
    pairs: list[int] = []

    def counted(x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        pairs.append(len(labels))
        return MODEL.denoise(x, sigma, rows, labels)

    x = torch.zeros((7, 1), dtype=torch.float64)
    labels = torch.zeros(7, dtype=torch.int64)
    sample(counted, x, labels, [3.0, 2.0, 1.0], [1.0, 2.0, 1.0], Generator().manual_seed(0))
    assert pairs == [7, 14, 7]
