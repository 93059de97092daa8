"""Guided chains against the exact mixture at -8, -4, 6, 8 and against their own densities."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from entroscope.measurement.curves.records import Record
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.quantities import SHOWN
from entroscope.protocol.spec import Spec
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture, load
from entroscope_workers.numerics.guidance import feedback_scale, guided
from entroscope_workers.numerics.kernels import kernel_mean, reverse_kernel
from entroscope_workers.numerics.mixtures import Mixture, line_truth
from entroscope_workers.sampling.chain import Chain, Measured
from entroscope_workers.sampling.loaded_model import LoadedModel
from entroscope_workers.sampling.path_noise import path_noise
from entroscope_workers.sampling.runner import run_batch

Array = NDArray[np.float64]
WIDE = {"steps": 256, "sigma_max": 400.0, "sigma_min": 0.05, "rho": 7.0}
#: Coarse enough for densities on a grid, and still more than all of the decisions.
NARROW = {"steps": 40, "sigma_max": 60.0, "sigma_min": 0.4, "rho": 7.0}
MODEL: GaussianMixture = load(torch.device("cpu"))
MIXTURE: Mixture = MODEL.exact


def posterior_of(measured: Measured) -> Tensor:
    assert measured.posterior is not None
    return measured.posterior


def plan_of(guidance: dict[str, Any] | None, schedule: dict[str, Any], number: int) -> Plan:
    document = {"model": "gaussian-mixture", "schedule": schedule, "trajectories": number}
    sizes = {"first": number, "largest": number}
    spec = Spec.model_validate({**document, "guidance": guidance, "batch_sizes": sizes})
    return resolve(spec, MODEL.info)


@torch.inference_mode()
def walk(plan: Plan) -> Iterator[tuple[float, Tensor, Tensor, Measured]]:
    """Yield noise level, states, true labels and what was measured of every step of one batch."""
    model = LoadedModel.of(MODEL)
    chain = Chain(plan, model, path_noise(plan, model, range(plan.spec.trajectories)))
    steps = chain.steps()
    for sigma in plan.sigmas:
        x = chain.x.clone()
        yield float(sigma), x, chain.label, next(steps)


def entropy(posterior: Tensor) -> Tensor:
    values: Tensor = torch.special.entr(posterior).sum(1)
    return values


def values_of(plan: Plan) -> dict[str, Array]:
    """Return the values of SHOWN by name, each (steps, trajectories)."""
    *_, record = run_batch(plan, 0, MODEL)
    assert isinstance(record, Record)
    values = record.values["classes"].astype(np.float64)
    return {quantity.name: values[quantity.row] for quantity in SHOWN}


@pytest.mark.parametrize("guidance", [{"scale": 3}, {"scale": 2, "method": "feedback"}])
def test_the_models_decoder_nears_the_posterior_at_the_state_as_the_steps_refine(
    guidance: dict[str, Any],
) -> None:
    distances, biases = [], []
    for steps in (32, 128, 512):
        apart, off = [], []
        schedule = WIDE | {"steps": steps, "sigma_max": 4000.0}
        for sigma, x, _, measured in walk(plan_of(guidance, schedule, 200)):
            exact = MIXTURE.log_posterior(x, sigma).exp()
            apart.append(float((posterior_of(measured) - exact).abs().sum(1).mean() / 2))
            off.append(float((entropy(posterior_of(measured)) - entropy(exact)).mean()))
        distances.append(max(apart))
        biases.append(max(map(abs, off)))
    assert distances[0] > 2 * distances[1] > 4 * distances[2]
    assert biases[0] > 2 * biases[1] > 4 * biases[2]
    assert distances[2] < 0.002 and biases[2] < 0.003


@pytest.mark.parametrize(
    "guidance",
    [{"scale": 3}, {"scale": 3, "interval": [0.5, 5]}, {"scale": 3, "decoder": "guided"}],
)
def test_production_is_the_slope_of_the_entropy_everywhere_along_guided_paths(
    guidance: dict[str, Any],
) -> None:
    plan = plan_of(guidance, WIDE | {"steps": 512}, 400)
    values = values_of(plan)
    entropies, production = values["entropy"], values["production"]
    width = -np.diff(np.log(plan.sigmas))[:, None]
    area = np.vstack(
        [0 * entropies[:1], np.cumsum((production[1:] + production[:-1]) / 2 * width, 0)]
    )
    places = np.arange(0, 512, 32)
    missed = np.diff((entropies + area)[places], axis=0)  # (blocks, trajectories)
    error = missed.std(1, ddof=1) / np.sqrt(missed.shape[1])
    assert np.diff(area[places].mean(1)).max() > 0.2  # bits: there is something to miss
    assert (np.abs(missed.mean(1)) <= 4 * error + 0.005).all()


def test_without_its_extra_term_the_production_of_a_guided_run_is_too_small() -> None:
    """Scale 3: 1.38 nats are decided, of which the plain formula has 0.80."""
    plain, moved, entropies = [], [], []
    schedule = WIDE | {"steps": 512, "sigma_max": 1600.0}
    for sigma, x, own, measured in walk(plan := plan_of({"scale": 3}, schedule, 400)):
        p = posterior_of(measured)
        denoised = torch.lerp(x, MIXTURE.means.T, sigma**2 / (MIXTURE.std**2 + sigma**2))
        mean = (p * denoised).sum(1, keepdim=True)
        level = torch.full((len(x),), sigma, dtype=torch.float64)
        free = MIXTURE.denoise(x, level, torch.full_like(own, -1))
        mover = free + 3 * (denoised.gather(1, own[:, None]) - free)
        term = 2 * torch.special.entr(p) * (denoised - mean) * (mover - mean)
        plain.append(float((p * (denoised - mean) ** 2).sum(1).mean()) / sigma**2)
        moved.append(float(-term.sum(1).mean()) / sigma**2)
        entropies.append(float(entropy(p).mean()))
    widths = -np.diff(np.log(plan.sigmas))
    without, term = ((np.array(y)[1:] + y[:-1]) / 2 @ widths for y in (plain, moved))
    assert entropies[0] - entropies[-1] == pytest.approx(1.38, abs=0.01)
    assert without == pytest.approx(0.80, abs=0.03)
    assert without + term == pytest.approx(1.38, abs=0.03)


def test_read_with_the_guided_kernels_cross_entropy_and_entropy_agree() -> None:
    for scale in (2, 3, 5):
        plan = plan_of({"scale": scale, "decoder": "guided"}, WIDE | {"steps": 64}, 1000)
        values = values_of(plan)
        entropies = values["entropy"]
        gap = values["cross_entropy"] - entropies
        error = gap.std(1, ddof=1) / np.sqrt(gap.shape[1])
        seen = entropies.mean(1) > 0.1  # beyond, all of the cross-entropy is in paths too rare
        assert (np.abs(gap.mean(1)) <= 4 * error + 1e-6)[seen].all()
    values = values_of(plan_of({"scale": 3}, WIDE | {"steps": 64}, 1000))
    modelled = values["cross_entropy"] - values["entropy"]
    assert modelled.mean(1).min() < -0.1  # read with the model's own kernels they do not agree


def test_at_scale_1_both_decoders_and_the_unguided_run_are_one() -> None:
    plain = values_of(plan_of(None, WIDE | {"steps": 64}, 100))
    for decoder in ("model", "guided"):
        for method in ("cfg", "feedback"):
            guidance = {"scale": 1, "decoder": decoder, "method": method}
            same = values_of(plan_of(guidance, WIDE | {"steps": 64}, 100))
            for name, values in plain.items():
                np.testing.assert_array_equal(same[name], values)


class Propagated:
    """The densities of a guided chain on the line, by its own kernels: p_z(x) at every level.

    p_z(x') = integral p_z(x) N(x'; keep x + (1 - keep) D_w,z(x), std^2) dx, from the exact marginal
    at sigma_max, the same for every class, as the chain starts.
    """

    def __init__(self, scale: float, sigmas: Array) -> None:
        self._scale, self._sigmas = scale, [float(sigma) for sigma in sigmas]

    def levels(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield places (points,) and densities (points, classes) of every noise level."""
        x = self._line(0)
        width = (MIXTURE.std**2 + self._sigmas[0] ** 2) ** 0.5
        bells = torch.exp(-((x[:, None] - MIXTURE.means.T) ** 2) / (2 * width**2)) @ MIXTURE.prior
        density = (bells / bells.sum() / (x[1] - x[0]))[:, None].expand(-1, len(MIXTURE.prior))
        yield x, density
        for step in range(1, len(self._sigmas)):
            x_next = self._line(step)
            density = self._moved(step, x, density, x_next)
            x = x_next
            yield x, density

    def _line(self, step: int) -> Tensor:
        sigma = self._sigmas[step]
        ratio = max(a / b for a, b in zip(self._sigmas, self._sigmas[1:], strict=False))
        spacing = sigma * min(1 - ratio**-2, 0.5) ** 0.5 / 3
        reach = 30 + 8 * sigma
        return torch.linspace(-reach, reach, int(2 * reach / spacing), dtype=torch.float64)

    def _moved(self, step: int, x: Tensor, density: Tensor, x_next: Tensor) -> Tensor:
        kernel = reverse_kernel(self._sigmas[step - 1], self._sigmas[step])
        level = torch.full_like(x, self._sigmas[step - 1])
        states = x[:, None]
        free = MIXTURE.denoise(states, level, torch.full_like(x, -1, dtype=torch.int64))
        columns = []
        for label in range(len(MIXTURE.prior)):
            own = MIXTURE.denoise(states, level, torch.full_like(x, label, dtype=torch.int64))
            denoised = guided(free, own, torch.tensor(self._scale))
            apart = x_next - kernel_mean(kernel, states, denoised)  # (points, next points)
            reached = density[:, label] @ torch.exp(-(apart**2) / (2 * kernel.std**2))
            columns.append(reached / (reached.sum() * (x_next[1] - x_next[0])))
        return torch.stack(columns, 1)


def state_entropy(x: Tensor, density: Tensor) -> float:
    """Return H[Z | X] in nats of classes with densities (points, classes)."""
    joint = MIXTURE.prior * density
    marginal = joint.sum(1)
    posterior = joint / marginal.clamp(min=1e-300)[:, None]
    return float((marginal @ entropy(posterior)) * (x[1] - x[0]))


def test_the_propagated_densities_are_those_of_the_mixture_without_guidance() -> None:
    """At 64 steps; the chain of few steps is another one than the process it stands for."""
    plan = plan_of(None, NARROW | {"steps": 64}, 2)
    levels = Propagated(1, plan.sigmas).levels()
    for sigma, (x, density) in zip(plan.sigmas, levels, strict=True):
        assert state_entropy(x, density) == pytest.approx(line_truth(MIXTURE, sigma)[0], abs=0.02)


def test_on_the_line_the_guided_decoder_knows_more_than_the_state_of_the_guided_process() -> None:
    plan = plan_of({"scale": 3, "decoder": "guided"}, NARROW, 2000)
    found, between = [], []
    levels = Propagated(3, plan.sigmas).levels()
    for (_, states, own, measured), (x, density) in zip(walk(plan), levels, strict=True):
        values = entropy(posterior_of(measured))
        error = float(values.std()) / len(values) ** 0.5
        found.append(state_entropy(x, density) - float(values.mean()) + 4 * error)
        place = (states[:, 0] - x[0]) / (x[1] - x[0])
        joint = MIXTURE.prior * density[place.round().long()]
        surprise = -(joint.gather(1, own[:, None])[:, 0] / joint.sum(1)).log()
        off = float(surprise.mean()) - state_entropy(x, density)
        between.append(abs(off) - 4 * float(surprise.std()) / len(own) ** 0.5)
    assert max(between) < 0.01  # the chain does follow these densities
    assert min(found) >= 0
    assert max(found) > 0.05


def test_feedback_undoes_a_mixing_of_the_class_with_everything() -> None:
    """Guided with w(r), the denoiser of (1 - e) p(x|c) + e p(x) is that of p(x|c) alone."""
    scale, sigma, label = 2.0, 2.0, 3
    share = 1 - 1 / scale
    x = torch.linspace(4, 12, 41, dtype=torch.float64)[:, None]
    level, labels = torch.full((41,), sigma, dtype=torch.float64), torch.full((41,), label)
    pure, free = (MIXTURE.denoise(x, level, own) for own in (labels, labels - label - 1))
    ratio = MIXTURE.log_posterior(x, sigma)[:, label].exp() / MIXTURE.prior[label]  # p(x|c) / p(x)
    mixed = (1 - share) * ratio + share
    weight = (share / mixed)[:, None]
    network = weight * free + (1 - weight) * pure
    restored = guided(free, network, feedback_scale(mixed.log(), scale, 1e9)[:, None])
    torch.testing.assert_close(restored, pure, atol=1e-6, rtol=0)


def test_the_feedback_scale_is_as_given_at_first_falls_to_1_and_is_clamped() -> None:
    ratio = torch.tensor([-50.0, -1.0, 0.0, 1.0, 3.0, 50.0], dtype=torch.float64)
    scales = feedback_scale(ratio, 2.0, 10.0)
    assert scales[2] == pytest.approx(2.0)
    assert scales[-1] == pytest.approx(1.0)
    assert scales[0] == scales[1] == pytest.approx(10.0)  # e^-1 is below e = 1/2: no scale would do
    assert (scales[:-1] >= scales[1:]).all()
    assert (feedback_scale(ratio, 1.0, 10.0) == 1).all()


def test_the_feedback_scale_is_continuous_where_it_is_clamped() -> None:
    edge = np.log(0.5 * 10 / 9)  # r = e largest / (largest - 1)
    below, above = feedback_scale(torch.tensor([edge - 1e-9, edge + 1e-9]).double(), 2.0, 10.0)
    assert below == pytest.approx(10.0) and above == pytest.approx(10.0, abs=1e-5)
