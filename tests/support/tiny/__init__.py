"""Tiny models of every family, written to disk as a user would have them.

One file a family: `write(folder) -> Entry`, with a network of random weights small enough that the
contract runs over it in seconds.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import cast

from entroscope_workers.models.entry import Entry


def tiny_families() -> list[str]:
    """Return the families that have a tiny model."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__))


def write_tiny(family: str, folder: Path) -> Entry:
    """Write the files of a family's tiny model into a folder and return its entry."""
    module = importlib.import_module(f"{__name__}.{family.replace('-', '_')}")
    return cast(Entry, module.write(folder))
