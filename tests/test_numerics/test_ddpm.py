"""Discrete-time networks in terms of sigma: diffusers' arithmetic and exact predictors as truth."""

import dataclasses
import inspect
import math
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from entroscope_workers import measure
from entroscope_workers.models.families.gaussian_mixture import GaussianMixture
from entroscope_workers.numerics.ddpm import PREDICTIONS, SCHEDULERS, DdpmSchedule
from entroscope_workers.numerics.mixtures import Mixture

CPU = torch.device("cpu")
LATENT = {"beta_start": 0.00085, "beta_end": 0.012}
GRIDS: dict[str, dict[str, Any]] = {
    "linear": {"beta_schedule": "linear"},
    "scaled_linear": {"beta_schedule": "scaled_linear", **LATENT},
    "cosine": {"beta_schedule": "squaredcos_cap_v2"},
    "trained": {"trained_betas": [0.001 * 1.02**i for i in range(200)]},
}
every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
every_prediction = pytest.mark.parametrize("prediction", PREDICTIONS)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def schedule_of(**config: Any) -> DdpmSchedule:
    return DdpmSchedule.from_scheduler_config(config)


@every_grid
@pytest.mark.parametrize("zero_snr", [False, True])
def test_the_levels_are_those_of_diffusers(grid: dict[str, Any], zero_snr: bool) -> None:
    reference = diffusers.DDPMScheduler(**grid, rescale_betas_zero_snr=zero_snr)
    schedule = schedule_of(**grid, rescale_betas_zero_snr=zero_snr)
    signal = reference.alphas_cumprod.double()[: len(schedule.sigmas)]
    assert len(schedule.sigmas) == len(reference.alphas_cumprod) - zero_snr
    # Theirs is a product of float32: at the first levels 1 - abar is a difference of near equals.
    ours = 1 / (1 + schedule.sigmas.square())
    torch.testing.assert_close(ours, signal, rtol=1e-4, atol=2e-7)


# One of them cannot be looked at without the package torchsde.
@pytest.mark.parametrize("name", sorted({*SCHEDULERS} - {"DPMSolverSDEScheduler"}))
def test_a_silent_configuration_means_what_its_scheduler_means(name: str) -> None:
    parameters = inspect.signature(getattr(diffusers, name)).parameters
    defaults = {key: parameters[key].default for key in ("beta_start", "beta_end")}
    silent, spoken = schedule_of(_class_name=name), schedule_of(**defaults)
    assert torch.equal(silent.sigmas, spoken.sigmas)


@every_grid
@every_prediction
def test_denoised_is_the_schedulers_original_sample(grid: dict[str, Any], prediction: str) -> None:
    config = {**grid, "prediction_type": prediction, "clip_sample": False}
    reference, schedule = diffusers.DDPMScheduler(**config), schedule_of(**config)
    data, noise, output = (normal(1, 3, 4, 4, seed=seed) for seed in range(3))
    for step in (0, 1, 17, 100, 180, len(schedule.sigmas) * 9 // 10):
        noisy = reference.add_noise(data, noise, torch.tensor([step]))
        theirs = reference.step(output, step, noisy).pred_original_sample
        sigma = schedule.sigmas[step : step + 1]
        x = noisy / reference.alphas_cumprod[step].sqrt()
        read, asked = schedule.inputs(x, sigma)
        assert float(asked) == step
        torch.testing.assert_close(read, noisy, rtol=1e-5, atol=1e-5)
        ours = schedule.denoised(x, sigma, output)
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(x.abs().max()))


@pytest.mark.parametrize("limit", [1.0, 0.3])
def test_clipping_is_the_schedulers_where_it_is_wanted(limit: float) -> None:
    config = {"clip_sample": True, "clip_sample_range": limit}
    x, sigma, output = normal(2, 1, 4, 4), torch.tensor([0.5, 0.5]).double(), normal(2, 1, 4, 4)
    free = schedule_of(**config).denoised(x, sigma, output)
    held = DdpmSchedule.from_scheduler_config(config, clip=True).denoised(x, sigma, output)
    assert float(free.abs().max()) > limit
    assert torch.equal(held, free.clamp(-limit, limit))
    unclipped = DdpmSchedule.from_scheduler_config({"clip_sample": False}, clip=True)
    assert torch.equal(unclipped.denoised(x, sigma, output), free)


@every_grid
def test_every_training_level_is_asked_at_its_own_step(grid: dict[str, Any]) -> None:
    schedule = schedule_of(**grid)
    steps = torch.arange(len(schedule.sigmas), dtype=torch.float64)
    torch.testing.assert_close(schedule.timesteps(schedule.sigmas), steps, rtol=0, atol=1e-9)


# diffusers makes NumPy arrays of tensors in the way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_steps_in_between_are_those_of_diffusers_own_karras_levels() -> None:
    reference = diffusers.EulerDiscreteScheduler(**GRIDS["scaled_linear"], use_karras_sigmas=True)
    reference.set_timesteps(23)
    ours = schedule_of(**GRIDS["scaled_linear"]).timesteps(reference.sigmas[:-1].double())
    assert float((ours - ours.round()).abs().max()) > 0.3  # they are in between
    torch.testing.assert_close(ours, reference.timesteps.double(), rtol=0, atol=2e-3)


def test_levels_beyond_the_grid_are_asked_at_its_ends() -> None:
    schedule = schedule_of()
    sigma = torch.tensor([1e-6, 0.009, 200.0, 1e6], dtype=torch.float64)
    assert schedule.timesteps(sigma).tolist() == [0, 0, 999, 999]


@every_prediction
def test_without_noise_the_datum_comes_back_and_nothing_jumps_on_the_way(prediction: str) -> None:
    schedule = schedule_of(prediction_type=prediction)
    x, output = normal(1, 8), normal(1, 8, seed=1)
    first = float(schedule.sigmas[0])

    def denoised(sigma: float) -> Tensor:
        return schedule.denoised(x, torch.tensor([sigma], dtype=torch.float64), output)

    assert float((denoised(1e-6) - x).abs().max()) < 1e-3
    torch.testing.assert_close(denoised(first * (1 - 1e-7)), denoised(first), rtol=0, atol=1e-5)


@every_prediction
def test_an_exact_predictor_between_its_levels_gives_the_exact_denoiser(prediction: str) -> None:
    """The mixture -0.8, -0.4, 0.6, 0.8 (std 0.05); its network knows the exact level of any step.

    That is the continuation of the linear grid, where the step is interpolated half-way.
    """
    mixture = Mixture(
        torch.tensor([[-0.8], [-0.4], [0.6], [0.8]], dtype=torch.float64),
        0.05,
        torch.full((4,), 0.25, dtype=torch.float64),
    )
    schedule = schedule_of(prediction_type=prediction)
    sigma = exact_level(torch.tensor([10.5, 20.5, 50.5, 100.5, 300.5, 700.5]))
    x = torch.linspace(-1.5, 1.5, 6, dtype=torch.float64)[:, None] * (1 + sigma[:, None])
    labels = torch.tensor([0, 1, 2, 3, -1, -1])
    read, step = schedule.inputs(x, sigma)
    ours = schedule.denoised(x, sigma, exact_output(mixture, read, step, labels, prediction))
    exact = mixture.denoise(x, sigma, labels)
    error = (ours - exact).abs().flatten()
    assert float((step - step.round()).abs().min()) > 0.45
    assert error.max() < 1e-3 and error[2:].max() < 5e-5


def exact_level(step: Tensor) -> Tensor:
    """Return sigma of a fractional step of the linear grid, by the product's own continuation.

    abar(t) = prod_{j <= t} (1 - b0 - j d) = d^{t+1} Gamma(a + 1) / Gamma(a - t), a = (1 - b0) / d.
    """
    d = (0.02 - 0.0001) / 999
    a = torch.tensor((1 - 0.0001) / d, dtype=torch.float64)
    t = step.double()
    log_signal = (t + 1) * math.log(d) + torch.lgamma(a + 1) - torch.lgamma(a - t)
    return torch.expm1(-log_signal).sqrt()


def exact_output(
    mixture: Mixture, read: Tensor, step: Tensor, labels: Tensor, prediction: str
) -> Tensor:
    """Return what a perfect network puts out at a fractional training step."""
    level = exact_level(step)
    alpha = 1 / (1 + level.square()).sqrt()[:, None]
    datum = mixture.denoise(read / alpha, level, labels)
    noise = (read / alpha - datum) / level[:, None]
    std = level[:, None] * alpha
    return {"epsilon": noise, "sample": datum, "v_prediction": alpha * noise - std * datum}[
        prediction
    ]


@every_prediction
def test_the_curve_of_an_exact_predictor_is_that_of_the_exact_denoiser(prediction: str) -> None:
    """A mixture decided at sigma 0.1: far down the grid, where its steps are coarse."""
    spec = {
        "trajectories": 16,
        "schedule": {"steps": 32, "sigma_max": 10.0, "sigma_min": 0.0101},
        "params": {"means": [[-0.8], [-0.4], [0.6], [0.8]], "std": 0.05},
        "previews": None,
    }
    entropies = [
        torch.tensor(measure(model.bind({}, ()), spec)["curves"]["classes"]["entropy"])
        for model in (GaussianMixture(CPU), ThroughSteps(CPU, prediction=prediction))
    ]
    change = float((entropies[0] - entropies[1]).abs().max())
    assert 0 < change < 1e-3


@dataclasses.dataclass(frozen=True)
class ThroughSteps(GaussianMixture):
    """The same mixture, as a perfect network that is asked at fractional training steps."""

    prediction: str = "epsilon"

    def denoise(self, x: Tensor, sigma: Tensor, rows: Tensor, labels: Tensor) -> Tensor:
        schedule = schedule_of(prediction_type=self.prediction)
        read, step = schedule.inputs(x[rows], sigma[rows])
        output = exact_output(self.exact, read, step, labels, self.prediction)
        return schedule.denoised(x[rows], sigma[rows], output)


@pytest.mark.parametrize("grid", [*GRIDS.values(), {"rescale_betas_zero_snr": True}])
def test_a_default_schedule_starts_where_there_is_still_something_to_see(
    grid: dict[str, Any],
) -> None:
    schedule = schedule_of(**grid)
    assert 0 < schedule.sigma_min < 0.05
    assert 1 < schedule.sigma_max <= 160
    for end in (schedule.sigma_min, schedule.sigma_max):
        assert end == float(f"{end:.4g}")
        assert schedule.sigmas[0] <= end <= schedule.sigmas[-1]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"_class_name": "FlowMatchEulerDiscreteScheduler"}, "no DDPM-type scheduler.*FlowMatch"),
        ({"timestep_type": "continuous"}, "timestep_type must be 'discrete', got 'continuous'"),
        ({"prediction_type": "flow_prediction"}, "prediction_type must be.*'flow_prediction'"),
        ({"beta_schedule": "wavy"}, "beta_schedule must be one of.*got 'wavy'"),
        ({"trained_betas": [0.1, 0.0, 0.2]}, "betas must be numbers"),
        ({"trained_betas": [0.1]}, "two or more"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused(
    config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        schedule_of(**config)
