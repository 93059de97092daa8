"""Which models there are: those that come along, and those of the user.

Every file in models/ is a family. A family that comes with its weights has `load(device)`; one that
reads what a user has on disk has `load_entry(entry, device)`; a family may have both.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch

from entroscope.paths import default_models_file
from entroscope_workers.library.models_file import PLACES, entry_of, read_tables
from entroscope_workers.library.offers import Offer, faulty
from entroscope_workers.library.plugins import installed_offers, python_offers
from entroscope_workers.models import families
from entroscope_workers.models.adapters.labels import LABEL_SETS
from entroscope_workers.models.base import Model
from entroscope_workers.models.entry import Entry

NOT_FAMILIES = {"base"}
#: A file in a list of models, and the one model of it that is meant.
FILE = re.compile(r"(?P<file>.+\.(?:toml|py))(?::(?P<name>[^:/\\]+))?")
Say = Callable[[str], None]


def _to_stderr(sentence: str) -> None:
    print(f"entroscope: {sentence}", file=sys.stderr, flush=True)


def family_names() -> list[str]:
    """Return the name of every family."""
    names = [module.name for module in pkgutil.iter_modules(families.__path__)]
    return sorted(name.replace("_", "-") for name in names if name not in NOT_FAMILIES)


@cache
def bundled_names() -> tuple[str, ...]:
    """Return the families that come with their weights: each is a model of the same name."""
    return tuple(name for name in family_names() if hasattr(_family(name), "load"))


def load_models(
    names: Sequence[str] | None, device: torch.device, say: Say = _to_stderr
) -> dict[str, Model]:
    """Load the models of a list (`offers`) onto a device; all there are where none is given.

    Args:
        say: told of each model that nobody asked for and that cannot be loaded; it is left out.
    Raises:
        ValueError: a model that was asked for cannot be had; two models have one name.
    """
    loaded = {}
    for offer in offers(names, say):
        try:
            loaded[offer.name] = offer.load(device)
        except ValueError as error:
            if names:
                raise
            say(f"{error}; it is not offered")
    return loaded


def load_model(name: str, device: torch.device, among: Sequence[str] | None = None) -> Model:
    """Load one model by name, of a list of models or of all.

    Raises:
        ValueError: as `load_models`.
    """
    return find_offer(name, among).load(device)


def find_offer(name: str, among: Sequence[str] | None = None) -> Offer:
    """Return the offer of a name, of a list of models or of all.

    Raises:
        ValueError: there is none, or there are two.
    """
    complaints: list[str] = []
    candidates = _of_list(among, complaints.append) if among else _all(complaints.append)
    if named := [offer for offer in candidates if offer.name == name]:
        return _unique(named)[0]
    also = "".join(f"; {complaint}" for complaint in complaints)
    names = ", ".join(dict.fromkeys(offer.name for offer in candidates))
    raise ValueError(f"model: no model {name!r}; there are {names}{also}")


def offers(items: Sequence[str] | None = None, say: Say = _to_stderr) -> list[Offer]:
    """Return the models of a list, or all: bundled, in the user's models.toml, installed.

    Args:
        items: a model's name; a .toml or .py FILE for all of its models; FILE:NAME for one of them.
        say: told what is wrong with sources that nobody asked for.
    Raises:
        ValueError: an item names nothing, or two models have one name.
    """
    return _unique(_of_list(items, say) if items else _all(say))


def _of_list(items: Sequence[str], say: Say) -> list[Offer]:
    listed: list[Offer] = []
    for item in items:
        if named := FILE.fullmatch(item):
            listed += _pick(_of_file(Path(named["file"])), named["name"], named["file"])
        elif known := [offer for offer in listed if offer.name == item]:
            listed += known
        else:
            listed += _pick(_all(say), item, None)
    return listed


def _pick(among: list[Offer], name: str | None, file: str | None) -> list[Offer]:
    if name is None:
        return among
    if named := [offer for offer in among if offer.name == name]:
        return named
    names = ", ".join(offer.name for offer in among)
    source = f"{file}: " if file else ""
    raise ValueError(f"model: {source}no model {name!r}; there are {names}")


def _all(say: Say) -> list[Offer]:
    available = [Offer(name, name, "bundled", _family(name).load) for name in bundled_names()]
    try:
        available += entry_offers(default_models_file())
    except ValueError as error:
        say(str(error))
    return available + installed_offers()


def _of_file(file: Path) -> list[Offer]:
    if not file.is_file():
        raise ValueError(f"--models: there is no file {str(file)!r}")
    file = file.absolute()
    return python_offers(file) if file.suffix == ".py" else entry_offers(file)


def entry_offers(file: Path) -> list[Offer]:
    """Return the models of a models.toml; a table that is off is an offer with a fault.

    Raises:
        ValueError: the file as a whole is off.
    """
    return [_entry_offer(file, name, table) for name, table in read_tables(file).items()]


def _entry_offer(file: Path, name: str, table: dict[str, Any]) -> Offer:
    try:
        entry = entry_of(file, name, table)
        check_entry(entry)
    except ValueError as error:
        return faulty(name, str(table.get("family", "?")), str(file), str(error))
    return Offer(name, entry.family, str(file), partial(load_entry, entry))


def _unique(listed: Sequence[Offer]) -> list[Offer]:
    kept: dict[str, Offer] = {}
    for offer in listed:
        other = kept.setdefault(offer.name, offer)
        if other.where != offer.where:
            raise ValueError(
                f"two models are called {offer.name!r}: {other.where} and {offer.where};"
                " rename one, or say --models FILE:NAME"
            )
    return list(kept.values())


def load_entry(entry: Entry, device: torch.device) -> Model:
    """Load what a user has on disk.

    Raises:
        ValueError: no such family, or what is wrong with which file.
    """
    check_entry(entry)
    return cast(Model, _family(entry.family).load_entry(entry, device))


def check_entry(entry: Entry) -> None:
    """Raise a ValueError if an entry's family is unknown or one of its files is missing."""
    able = [name for name in family_names() if hasattr(_family(name), "load_entry")]
    if entry.family not in able:
        raise ValueError(
            f"model {entry.name!r}: no family {entry.family!r}; there are {', '.join(able)}"
        )
    paths = {field: getattr(entry, field) for field in PLACES}
    if entry.labels and entry.labels not in LABEL_SETS:
        paths["labels"] = Path(entry.labels)
    for field, path in paths.items():
        if path is not None and not path.exists():
            raise ValueError(f"model {entry.name!r}: {field} {str(path)!r} does not exist")


def _family(name: str) -> ModuleType:
    return importlib.import_module(f"{families.__name__}.{name.replace('-', '_')}")
