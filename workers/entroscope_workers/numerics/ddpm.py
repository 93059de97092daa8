"""Networks trained on a discrete variance-preserving grid (DDPM), asked in terms of sigma."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, cast, get_args

import torch
from torch import Tensor

Prediction = Literal["epsilon", "v_prediction", "sample"]
PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)

#: Cosine and zero-terminal-SNR grids end at sigma 2e4 and more, where no datum is to be seen; a
#: linear one ends at 157. Default schedules start no higher than this.
LARGEST_SIGMA = 160.0
SMALLEST_SIGMA = 0.002

#: diffusers' schedulers whose configuration tells betas: only the sampler differs between them.
SCHEDULERS = (
    *("DDPMScheduler", "DDPMParallelScheduler", "DDIMScheduler", "DDIMParallelScheduler"),
    *("PNDMScheduler", "LMSDiscreteScheduler", "SASolverScheduler", "DPMSolverSDEScheduler"),
    *("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler"),
    *("KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler"),
    *("DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler"),
)
#: Those whose betas are other ones where their configuration is silent.
_LATENT_BETAS = ("HeunDiscrete", "KDPM2Discrete", "KDPM2Ancestral", "DPMSolverSDE")


@dataclass(frozen=True, slots=True, eq=False)
class DdpmSchedule:
    """The noise levels a network was trained at, and what its output means.

    In between, the network is asked at a fractional step, interpolated linearly in ln sigma; it
    has to be one that takes it (sinusoidal embeddings do). diffusers and k-diffusion do the same.
    Against the exact continuation of the linear grid (1000 steps, 1e-4 to 0.02) sigma is off by
    3 % half-way through the first interval, by 0.6 % in the third, by 0.06 % in the eleventh
    and by less than 1e-5 from step 103 (sigma 0.35) on; nothing is lost at training levels.
    The entropy of a mixture decided at sigma 0.1 moves by 0.0002 bits at most (epsilon, v; 0.0005
    for sample), of one decided at 0.02 by 0.001 (0.003).

    Below the first level the network is asked at step 0 and above the last one at the last step,
    but its output is read with the true sigma, so that D -> x as sigma -> 0.

    Attributes:
        sigmas: (levels,), float64, rising: sqrt((1 - abar_i) / abar_i) of training step i. A last
            step without any signal (zero terminal SNR) has no finite sigma and is left out.
        prediction: what the network puts out: the noise, v = alpha n - std x0, or the datum.
        clip: D is held within +-clip, None leaves it. Data lie within, so that their expectation
            does, and diffusers' samplers clip by `clip_sample`; but it is the network that is
            measured, and guidance is linear only in what was not clipped: hence None by default.
    """

    sigmas: Tensor
    prediction: Prediction = "epsilon"
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            raise ValueError(f"prediction must be one of {PREDICTIONS}, got {self.prediction!r}")
        if self.clip is not None and not 0 < self.clip < math.inf:
            raise ValueError(f"clip must be a number > 0, got {self.clip!r}")
        levels = self.sigmas
        if levels.ndim != 1 or len(levels) < 2 or levels.dtype != torch.float64:
            raise ValueError(
                f"sigmas must be two or more float64, got {levels.dtype} {tuple(levels.shape)}"
            )
        rising = bool((levels.diff() > 0).all())
        if not (rising and float(levels[0]) > 0 and math.isfinite(float(levels[-1]))):
            raise ValueError("sigmas must rise, all of them finite and > 0")

    @classmethod
    def from_scheduler_config(cls, config: Mapping[str, Any], *, clip: bool = False) -> Self:
        """Return the schedule of a diffusers scheduler_config.json.

        Dynamic thresholding is a matter of the sampler and not taken over.

        Args:
            clip: clip as the configuration does (`clip_sample`, `clip_sample_range`); nothing
                happens where it does not.
        Raises:
            ValueError: a scheduler, a schedule of betas or a prediction that is not known.
        """
        _check_kind(config)
        limit = float(config.get("clip_sample_range", 1.0)) if config.get("clip_sample") else None
        prediction = cast(Prediction, config.get("prediction_type", "epsilon"))
        return cls(_sigmas(_betas(config)), prediction, limit if clip else None)

    @property
    def sigma_max(self) -> float:
        """The highest level of a default schedule: the last one, `LARGEST_SIGMA` at most.

        Both ends have four digits, rounded into the grid: people read and type them.
        """
        return min(_four_digits(float(self.sigmas[-1]), math.floor), LARGEST_SIGMA)

    @property
    def sigma_min(self) -> float:
        """The lowest level of a default schedule: the first one, `SMALLEST_SIGMA` at least."""
        return max(_four_digits(float(self.sigmas[0]), math.ceil), SMALLEST_SIGMA)

    def on(self, device: torch.device) -> Self:
        return replace(self, sigmas=self.sigmas.to(device))

    def timesteps(self, sigma: Tensor) -> Tensor:
        """Return the training step of sigma (batch,), fractional, (batch,) float64 in 0..T-1."""
        levels = self.sigmas.to(sigma.device).log()
        level = sigma.double().log().clamp(levels[0], levels[-1])
        above = torch.searchsorted(levels, level).clamp(1, len(levels) - 1)
        below = above - 1
        return below + (level - levels[below]) / (levels[above] - levels[below])

    def inputs(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network reads: x / sqrt(1 + sigma^2) and the training step.

        Args:
            x: (batch, *data), x0 + sigma n; sigma: (batch,), float64.
        """
        return _column(1 / (1 + sigma**2).sqrt(), x) * x, self.timesteps(sigma)

    def denoised(self, x: Tensor, sigma: Tensor, output: Tensor) -> Tensor:
        """Return E[x0 | x], of the type of x, from the network's output.

            epsilon:       D = x - sigma eps
            v_prediction:  D = (x - sigma sqrt(1 + sigma^2) v) / (1 + sigma^2)
            sample:        D = x + min(sigma / sigma_0, 1) (output - x)

        The last keeps, below the first level, the noise that the network implies at that level.

        Args:
            x, output: (batch, *data); sigma: (batch,), float64.
        """
        output = output.to(x.dtype)
        if self.prediction == "epsilon":
            denoised = x - _column(sigma, x) * output
        elif self.prediction == "v_prediction":
            keep = 1 / (1 + sigma**2)
            denoised = _column(keep, x) * x - _column(sigma * keep.sqrt(), x) * output
        else:
            share = (sigma / self.sigmas[0].to(sigma.device)).clamp(max=1)
            denoised = torch.lerp(x, output, _column(share, x))
        return denoised if self.clip is None else denoised.clamp(-self.clip, self.clip)


def _column(factor: Tensor, x: Tensor) -> Tensor:
    """Return float64 factors (batch,) in the type of x, to be multiplied with (batch, *data)."""
    return factor.to(x.dtype).reshape(-1, *[1] * (x.ndim - 1))


def _check_kind(config: Mapping[str, Any]) -> None:
    name = config.get("_class_name", SCHEDULERS[0])
    if name not in SCHEDULERS:
        raise ValueError(f"no DDPM-type scheduler is called {name!r}; there are {SCHEDULERS}")
    # Stable Video Diffusion's: the network is told 0.25 ln sigma, no training step.
    if config.get("timestep_type", "discrete") != "discrete":
        raise ValueError(f"timestep_type must be 'discrete', got {config['timestep_type']!r}")
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(f"prediction_type must be one of {PREDICTIONS}, got {prediction!r}")


def _betas(config: Mapping[str, Any]) -> Tensor:
    """Return beta_i of every training step, (steps,) float64."""
    trained = config.get("trained_betas")
    betas = _named_betas(config) if trained is None else torch.tensor(trained, dtype=torch.float64)
    if betas.ndim != 1 or not bool(((betas > 0) & (betas <= 1)).all()):
        raise ValueError(f"betas must be numbers in (0, 1], got {betas.tolist()[:4]} ...")
    return _without_terminal_signal(betas) if config.get("rescale_betas_zero_snr") else betas


def _named_betas(config: Mapping[str, Any]) -> Tensor:
    steps = int(config.get("num_train_timesteps", 1000))
    latent = str(config.get("_class_name", "")).startswith(_LATENT_BETAS)
    start = float(config.get("beta_start", 0.00085 if latent else 0.0001))
    end = float(config.get("beta_end", 0.012 if latent else 0.02))
    kind = config.get("beta_schedule", "linear")
    if kind == "linear":
        return torch.linspace(start, end, steps, dtype=torch.float64)
    if kind == "scaled_linear":
        return torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64).square()
    if kind == "squaredcos_cap_v2":
        return _cosine_betas(steps)
    known = ("linear", "scaled_linear", "squaredcos_cap_v2")
    raise ValueError(f"beta_schedule must be one of {known}, got {kind!r}")


def _cosine_betas(steps: int) -> Tensor:
    """1 - f(i + 1) / f(i), f = cos^2, at most 0.999 (Nichol and Dhariwal 2021, eq. 17)."""
    t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    signal = ((t + 0.008) / 1.008 * math.pi / 2).cos().square()
    return (1 - signal[1:] / signal[:-1]).clamp(max=0.999)


def _without_terminal_signal(betas: Tensor) -> Tensor:
    """Shift and scale sqrt(abar) so that the last one is 0 (Lin et al. 2023, algorithm 1)."""
    root = (1 - betas).cumprod(0).sqrt()
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    signal = root.square()
    return 1 - torch.cat([signal[:1], signal[1:] / signal[:-1]])


def _sigmas(betas: Tensor) -> Tensor:
    signal = (1 - betas).cumprod(0)
    return ((1 - signal) / signal)[signal > 0].sqrt()


def _four_digits(value: float, rounded: Callable[[float], int]) -> float:
    digits = 3 - math.floor(math.log10(value))
    return float(f"{rounded(value * 10**digits) / 10**digits:.4g}")
