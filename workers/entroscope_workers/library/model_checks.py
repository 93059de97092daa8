"""What every model must keep, asked of one model: a few samples, no run."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from entroscope.measurement.plan.bound import bind_params
from entroscope_workers.library.offers import one_line
from entroscope_workers.models.base import NO_LABEL, Model

#: How many labels are asked at once: of a thousand, a few will do.
MOST_LABELS = 8
ROWS = 3
#: Largest difference between equal questions in other company, relative to the largest value:
#: networks in half precision differ in their last digits, those that mix samples in the first.
COMPANY = 5e-3


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """One thing a model must keep, whether it does, and what was found."""

    name: str
    ok: bool
    detail: str


class _Questions:
    """A model that was bound, and the states it is asked about."""

    def __init__(self, model: Model) -> None:
        defaults = bind_params(model.info, {})
        self.model = model.bind(defaults.params, defaults.labels)
        self.num_labels = min(MOST_LABELS, len(defaults.labels))
        device = self.model.device
        self.labels = torch.arange(self.num_labels, device=device).repeat(ROWS)
        self.rows = torch.arange(ROWS, device=device).repeat_interleave(self.num_labels)
        noise = torch.randn(
            (ROWS, *self.model.info.shape), generator=torch.Generator().manual_seed(0)
        )
        self._noise = noise.to(device, self.model.dtype)
        schedule = model.info.schedule
        self.middle = math.sqrt(schedule.sigma_min * schedule.sigma_max)

    def states(self, sigma: float) -> tuple[Tensor, Tensor]:
        """Return states of about the size they have at sigma, and the noise level of each."""
        levels = torch.full((ROWS,), sigma, dtype=torch.float64, device=self.model.device)
        return self._noise * max(1.0, sigma), levels

    def answers(self, sigma: float) -> Tensor:
        """Return the denoised data of all rows and labels."""
        return self.model.denoise(*self.states(sigma), self.rows, self.labels)


@torch.inference_mode()
def model_checks(model: Model) -> Iterator[ModelCheck]:
    """Yield the checks one after the other; whatever a model raises fails the check at hand."""
    asked: _Questions | None = None
    for name, look in _CHECKS.items():
        try:
            asked = asked or _Questions(model)
            ok, detail = look(asked)
        except Exception as error:  # a model may be anyone's program
            ok, detail = False, one_line(error)
        yield ModelCheck(name, ok, detail)


Look = Callable[[_Questions], tuple[bool, str]]


def _shape(asked: _Questions) -> tuple[bool, str]:
    answers = asked.answers(asked.middle)
    wanted = (len(asked.rows), *asked.model.info.shape)
    ok = tuple(answers.shape) == wanted and answers.dtype == asked.model.dtype
    return ok, f"{tuple(answers.shape)} {answers.dtype}, expected {wanted} {asked.model.dtype}"


def _finite(asked: _Questions) -> tuple[bool, str]:
    sigma = asked.model.info.schedule.sigma_max
    share = asked.answers(sigma).isfinite().double().mean().item()
    return share == 1, f"{share:.0%} of the values at sigma {sigma:g}"


def _identity(asked: _Questions) -> tuple[bool, str]:
    x, _ = asked.states(1e-5)
    away = (asked.answers(1e-5) - x[asked.rows]).abs().max().item()
    return away < 1e-3, f"{away:.2g} away from x at sigma 1e-5 (bound 0.001)"


def _company(asked: _Questions) -> tuple[bool, str]:
    x, sigma = asked.states(asked.middle)
    together = asked.answers(asked.middle)
    worst = 0.0
    for index in (0, len(asked.rows) // 2, len(asked.rows) - 1):
        row, label = int(asked.rows[index]), asked.labels[index][None]
        alone = asked.model.denoise(
            x[row : row + 1], sigma[:1], torch.zeros_like(asked.rows[:1]), label
        )
        worst = max(worst, (alone[0] - together[index]).abs().max().item())
    worst /= max(together.abs().max().item(), 1e-30)
    return (
        worst <= COMPANY,
        f"{worst:.2g} of the largest value, alone or not (bound {COMPANY})",
    )


def _labels(asked: _Questions) -> tuple[bool, str]:
    if asked.num_labels < 2:
        return False, f"{asked.num_labels} labels, expected 2 or more"
    each = asked.answers(asked.middle).reshape(ROWS, asked.num_labels, -1)
    apart = (each - each[:, :1]).abs().max().item()
    return apart > 0, f"answers differ by up to {apart:.2g} at sigma {asked.middle:.3g}"


def _same(asked: _Questions) -> tuple[bool, str]:
    first, second = (asked.answers(asked.middle) for _ in range(2))
    away = (first - second).abs().max().item()
    return torch.equal(first, second), f"{away:.2g} apart when asked twice"


def _unconditional(asked: _Questions) -> tuple[bool, str]:
    if not asked.model.info.unconditional:
        return True, "none is announced: no guidance, no complement runs"
    nobody = torch.full_like(asked.labels, NO_LABEL)
    x, sigma = asked.states(asked.middle)
    answers = asked.model.denoise(x, sigma, asked.rows, nobody)
    apart = (answers - asked.answers(asked.middle)).abs().max().item()
    return bool(answers.isfinite().all()) and apart > 0, f"up to {apart:.2g} from a label's answer"


def _pictures(asked: _Questions) -> tuple[bool, str]:
    pictures = asked.model.pictures(asked.states(1.0)[0])
    ok = pictures.dtype.name == "uint8" and pictures.ndim == 4 and pictures.shape[::3] == (ROWS, 3)
    return ok, f"{pictures.shape} {pictures.dtype}, expected ({ROWS}, height, width, 3) uint8"


_CHECKS: dict[str, Look] = {
    "one datum an evaluation": _shape,
    "finite at sigma_max": _finite,
    "D -> x as sigma -> 0": _identity,
    "independent of the batch": _company,
    "labels matter": _labels,
    "deterministic": _same,
    "unconditional branch": _unconditional,
    "previews": _pictures,
}
