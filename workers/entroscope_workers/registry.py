"""Which model families there are: every file in models/ that has a `load`."""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import cast

import torch

from entroscope_workers import models
from entroscope_workers.models.base import Model

NOT_FAMILIES = {"base"}


def family_names() -> list[str]:
    """Return the name of every family, without importing any."""
    names = [module.name for module in pkgutil.iter_modules(models.__path__)]
    return sorted(name.replace("_", "-") for name in names if name not in NOT_FAMILIES)


def load_models(names: Sequence[str] | None, device: torch.device) -> dict[str, Model]:
    """Load models by name onto a device; all of them where no names are given.

    Raises:
        ValueError: a name that no family has, or a checkpoint that cannot be read.
    """
    wanted = [_known(name) for name in names] if names else family_names()
    return {name: load_model(name, device) for name in wanted}


def load_model(name: str, device: torch.device) -> Model:
    """Load one model by name.

    Raises:
        ValueError: as `load_models`.
    """
    module = importlib.import_module(f"{models.__name__}.{_known(name).replace('-', '_')}")
    return cast(Model, module.load(device))


def _known(name: str) -> str:
    if name not in family_names():
        raise ValueError(f"model: no model {name!r}; there are {', '.join(family_names())}")
    return name
