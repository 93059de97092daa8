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


def label_names(labels: str | None, count: int, source: str = "labels") -> tuple[str, ...]:
    """Return the names of a model's labels, in the order of the network.

    Args:
        labels: a label set ("imagenet", "cifar10"), a text file with one name a line, or None:
            the names are then "0", "1", ...
        count: labels that the network has.
        source: what errors call the place where `labels` stands.
    Raises:
        ValueError: no such set or file, another number of names, an empty name, or one twice.
    """
    if labels is None:
        return tuple(str(index) for index in range(count))
    if labels in LABEL_SETS:
        names, kind = tuple(_label_set(labels)["names"]), "label set"
    else:
        names, kind = _names_in(_file(labels, source)), "file"
    if len(names) != count:
        raise ValueError(
            f"{source}: {kind} {labels!r} has {len(names)} names, the network has {count} labels"
        )
    return names


def label_presets(labels: str | None) -> tuple[Preset, ...]:
    """Return the partitions that come with a label set; none for other labels."""
    if labels not in LABEL_SETS:
        return ()
    names = frozenset(_label_set(labels)["names"])
    return tuple(
        Preset(name=one["name"], title=one["title"], partition=_groups(one["partition"], names))
        for one in _label_set(labels)["presets"]
    )


@cache
def _label_set(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


def _groups(documents: Sequence[dict[str, Any]], names: frozenset[str]) -> list[Group]:
    return [
        Group(name=one["name"], groups=_groups(one["groups"], names))
        if "groups" in one
        else Group(name=one["name"], labels=list(_labels(one["labels"], names)))
        for one in documents
    ]


def _labels(written: Sequence[int | str], names: frozenset[str]) -> Iterator[int | str]:
    """Yield labels written by name, by index or, several indices, as "first-last"."""
    for each in written:
        if each in names:
            yield each
            continue
        first, _, last = str(each).partition("-")
        yield from range(int(first), int(last or first) + 1)


def _file(name: str, source: str) -> Path:
    path = Path(name)
    if not path.is_file():
        sets = " or ".join(repr(name) for name in LABEL_SETS)
        raise ValueError(f"{source}: must be {sets} or a file with one name a line, got {name!r}")
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


def _check_name(name: str, line: str, seen: dict[str, int]) -> None:
    if not name:
        raise ValueError(f"{line}: is empty, must be a name")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"{line}: a name has {MAX_LENGTH} characters at most, got {len(name)}")
    if name in seen:
        raise ValueError(f"{line}: {name!r} stands in line {seen[name]} already")
