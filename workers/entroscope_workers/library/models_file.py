"""models.toml: the models of a user, one table each, written by hand or by `models add`."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from entroscope_workers.models.adapters.labels import LABEL_SETS
from entroscope_workers.models.entry import Entry

#: Fields of an entry that are places on disk.
PLACES = ("path", "unconditional", "config", "vae")


def read_tables(file: Path) -> dict[str, dict[str, Any]]:
    """Return the tables [models.NAME] of a file, unchecked; none where there is no file.

    Raises:
        ValueError: the file is not TOML, or holds something else.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # neither bad TOML nor bad UTF-8 is another kind
        raise ValueError(f"{file}: expected a list of models in TOML: {error}") from error
    tables = document.pop("models", {})
    if document or not isinstance(tables, dict):
        keys = ", ".join(document) or f"models = {tables!r:.60}"
        raise ValueError(f"{file}: expected tables [models.NAME] and nothing else, found {keys}")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ValueError(f"{file}: models.{name}: expected a table, found {table!r:.60}")
    return tables


def entry_of(file: Path, name: str, table: dict[str, Any]) -> Entry:
    """Return the entry of a table; relative paths are relative to the file.

    Raises:
        ValueError: names file, table and field.
    """
    where = f"{file}: models.{name}"
    if "name" in table:
        raise ValueError(f"{where}: name: the table's own name is the model's, leave it out")
    try:
        return Entry(name=name, **_placed(table, file.absolute().parent))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        value = "" if first["type"] == "missing" else f", found {first['input']!r:.80}"
        raise ValueError(f"{where}: {field}: {first['msg']}{value}") from error


def _placed(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    placed = dict(table)
    for field in PLACES:
        if isinstance(table.get(field), str):
            placed[field] = folder / Path(table[field]).expanduser()
    labels = table.get("labels")
    if isinstance(labels, str) and labels not in LABEL_SETS:
        placed["labels"] = str(folder / Path(labels).expanduser())
    return placed


def add_table(file: Path, entry: Entry) -> None:
    """Append an entry to a file, which keeps its comments and is made where there is none.

    Raises:
        ValueError: the file cannot take it: a model of that name is there already, for instance.
    """
    if entry.name in read_tables(file):
        raise ValueError(f"{file}: there is a table [models.{entry.name}] already: remove it first")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    gap = "\n" if before.endswith("\n") else "\n\n" if before else ""
    text = before + gap + table_text(entry)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = f"{file}: a table cannot be added at its end ({error}): write it by hand"
        raise ValueError(said) from error
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def table_text(entry: Entry) -> str:
    """Return an entry as the text of its table."""
    fields = entry.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    lines = [f"{field} = {_value(value)}" for field, value in fields.items()]
    return "\n".join([f"[models.{entry.name}]", *lines, ""])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_text(key)} = {_value(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    """Return a basic string; TOML escapes as JSON does, and wants DEL escaped too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
