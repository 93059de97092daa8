"""Which model families there are: every file in models/.

A family that comes with its weights has `load(device)`; one that reads what a user has on disk has
`load_entry(entry, device)`; a family may have both.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import cast

import torch

from entroscope_workers import models
from entroscope_workers.entries import Entry
from entroscope_workers.models.base import Model

NOT_FAMILIES = {"base"}


def family_names() -> list[str]:
    """Return the name of every family."""
    names = [module.name for module in pkgutil.iter_modules(models.__path__)]
    return sorted(name.replace("_", "-") for name in names if name not in NOT_FAMILIES)


@cache
def bundled_names() -> tuple[str, ...]:
    """Return the families that come with their weights: each is a model of the same name."""
    return tuple(name for name in family_names() if hasattr(_family(name), "load"))


def load_models(names: Sequence[str] | None, device: torch.device) -> dict[str, Model]:
    """Load models by name onto a device; all of them where no names are given.

    Raises:
        ValueError: a name that no model has, or a checkpoint that cannot be read.
    """
    return {name: load_model(name, device) for name in names or bundled_names()}


def load_model(name: str, device: torch.device) -> Model:
    """Load one model by name.

    Raises:
        ValueError: as `load_models`.
    """
    if name not in bundled_names():
        raise ValueError(f"model: no model {name!r}; there are {', '.join(bundled_names())}")
    return cast(Model, _family(name).load(device))


def load_entry(entry: Entry, device: torch.device) -> Model:
    """Load what a user has on disk.

    Raises:
        ValueError: no such family, or what is wrong with which file.
    """
    able = [name for name in family_names() if hasattr(_family(name), "load_entry")]
    if entry.family not in able:
        raise ValueError(
            f"model {entry.name!r}: no family {entry.family!r}; there are {', '.join(able)}"
        )
    return cast(Model, _family(entry.family).load_entry(entry, device))


def _family(name: str) -> ModuleType:
    return importlib.import_module(f"{models.__name__}.{name.replace('-', '_')}")
