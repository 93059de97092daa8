"""Models that are programs of the user: a Python file, or an entry point of a package."""

import importlib.util
import re
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from entroscope.measurement.plan.bound import bind_params
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.slugs import SLUG_PATTERN
from entroscope_workers.library.offers import Loader, Offer, faulty, one_line
from entroscope_workers.models.base import Model

GROUP = "entroscope.models"
OWN = "own"


def python_offers(file: Path) -> list[Offer]:
    """Return the models of a Python file: its MODELS, a dict of name to function of a device.

    Raises:
        ValueError: the file cannot be executed, or has no such dict.
    """
    try:
        models = getattr(_executed(file), "MODELS", None)
    except Exception as error:  # the file may raise anything
        raise ValueError(f"{file}: {one_line(error)}") from error
    if not isinstance(models, dict) or not models:
        kind = "nothing" if models is None else f"{models!r:.60}"
        raise ValueError(
            f"{file}: expected MODELS, a dict of names to functions of a device, found {kind}"
        )
    return [_offer(str(name), str(file), partial(_same, load)) for name, load in models.items()]


def installed_offers() -> list[Offer]:
    """Return the models of installed packages: `NAME = "package.module:function"`."""
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return [_offer(point.name, _where(point), point.load) for point in points]


def _same(function: Any) -> Any:
    return function


def _where(point: EntryPoint) -> str:
    return f"entry point {point.value}"


def _executed(file: Path) -> ModuleType:
    # Dataclasses look their own module up in sys.modules.
    name = "entroscope_own_" + re.sub(r"\W", "_", str(file))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError("expected a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _offer(name: str, where: str, find: Callable[[], Any]) -> Offer:
    """Return the offer of a function that `find` finds when it is needed."""
    if not re.fullmatch(SLUG_PATTERN, name):
        fault = f"{where}: a model's name is lower-case letters, digits and hyphens, found {name!r}"
        return faulty(name, OWN, where, fault)

    def load(device: torch.device) -> Model:
        function: Loader = find()
        if not callable(function):
            raise ValueError(f"{where}: expected a function of a device, found {function!r:.60}")
        return _answering(function(device), where)

    return Offer(name, OWN, where, load)


@torch.inference_mode()
def _answering(model: Model, where: str) -> Model:
    """Return the model if it answers one question with one datum."""
    if not isinstance(getattr(model, "info", None), ModelInfo):
        raise ValueError(f"{where}: expected a Model with `info`, found {type(model).__name__}")
    defaults = bind_params(model.info, {})
    bound = model.bind(defaults.params, defaults.labels)
    shape = (1, *bound.info.shape)
    zero = torch.zeros(1, dtype=torch.int64, device=bound.device)
    sigma = torch.ones(1, dtype=torch.float64, device=bound.device)
    x = bound.start(
        torch.zeros(shape, dtype=bound.dtype, device=bound.device),
        torch.zeros_like(sigma),
        1.0,
        torch.full((len(defaults.labels),), 1.0, dtype=torch.float64),
    )
    answered = tuple(bound.denoise(x, sigma, zero, zero).shape)
    if answered != shape:
        raise ValueError(
            f"{where}: denoise must return one datum an evaluation, {shape}, got {answered}"
        )
    return model
