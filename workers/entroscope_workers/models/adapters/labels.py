"""The names of a model's labels, and the decisions among them that a person would name."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from entroscope.protocol.partitions import Group, Preset

FOLDER = Path(__file__).parent / "label_sets"
#: Label sets that come along, one file each.
LABEL_SETS = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
MAX_LENGTH = 300


def label_names(given: str | None, count: int, source: str = "labels") -> tuple[str, ...]:
    """Return the names of a model's labels, in the order of the network.

    Args:
        given: a label set ("imagenet", "cifar10"), a text file with one name a line, or None:
            the names are then "0", "1", ...
        count: labels that the network has.
        source: what errors call the place where `given` stands.
    Raises:
        ValueError: no such set or file, another number of names, an empty name, or one twice.
    """
    if given is None:
        return tuple(str(index) for index in range(count))
    if given in LABEL_SETS:
        names, place = tuple(_label_set(given)["names"]), f"label set {given!r}"
    else:
        names, place = _names_in(_found(given, source)), f"file {given!r}"
    if len(names) != count:
        raise ValueError(
            f"{source}: {place} has {len(names)} names, the network has {count} labels"
        )
    return names


def label_presets(given: str | None) -> tuple[Preset, ...]:
    """Return the partitions that come with a label set; none for other labels."""
    if given not in LABEL_SETS:
        return ()
    return tuple(
        Preset(name=one["name"], title=one["title"], partition=_groups(one["partition"]))
        for one in _label_set(given)["presets"]
    )


@cache
def _label_set(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _groups(documents: Sequence[dict[str, Any]]) -> list[Group]:
    return [
        Group(name=one["name"], groups=_groups(one["groups"]))
        if "groups" in one
        else Group(name=one["name"], labels=list(_indices(one["labels"])))
        for one in documents
    ]


def _indices(ranges: Sequence[int | str]) -> Iterator[int]:
    """Yield indices written one by one or as "first-last"."""
    for each in ranges:
        first, _, last = str(each).partition("-")
        yield from range(int(first), int(last or first) + 1)


def _found(given: str, source: str) -> Path:
    path = Path(given)
    if not path.is_file():
        sets = " or ".join(repr(name) for name in LABEL_SETS)
        raise ValueError(f"{source}: must be {sets} or a file with one name a line, got {given!r}")
    return path


def _names_in(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"labels: file {str(path)!r} must be text in UTF-8") from None
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        _check_name(line.strip(), f"labels: file {str(path)!r}, line {number}", seen)
        seen[line.strip()] = number
    return tuple(seen)


def _check_name(name: str, place: str, seen: dict[str, int]) -> None:
    if not name:
        raise ValueError(f"{place}: is empty, must be a name")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"{place}: a name has {MAX_LENGTH} characters at most, got {len(name)}")
    if name in seen:
        raise ValueError(f"{place}: {name!r} stands in line {seen[name]} already")
