"""The commands `entroscope models add`, `list`, `check` and `import`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from entroscope_workers.commands.run import find_device
from entroscope_workers.importing.hub import download
from entroscope_workers.library.model_checks import model_checks
from entroscope_workers.library.model_size import num_weights
from entroscope_workers.library.models_file import PLACES, add_table
from entroscope_workers.library.plugins import installed_offers
from entroscope_workers.library.probe import probed
from entroscope_workers.library.registry import bundled_names, check_entry, find_offer, offers
from entroscope_workers.models.adapters.labels import LABEL_SETS
from entroscope_workers.models.base import Model
from entroscope_workers.models.entry import Entry

FAILED = 1


def add(file: Path, fields: Mapping[str, Any], options: Sequence[str], hub: str | None) -> int:
    """Write an entry into a models.toml.

    Args:
        fields: of the entry; None where it is not set. Places are relative to the current folder.
        options: KEY=VALUE, the value as in TOML or else a text.
        hub: id of a model to download; it takes the place of the path.
    Raises:
        ValueError, pydantic.ValidationError: what is wrong; nothing was written.
    """
    chosen = {field: _place(field, value) for field, value in fields.items() if value is not None}
    entry = Entry(**chosen, options=dict(map(_option, options)))
    if (entry.path is None) == (hub is None):
        raise ValueError("say where the model is: either --path or --hub")
    if entry.name in {*bundled_names(), *(offer.name for offer in installed_offers())}:
        raise ValueError(f"name: there is a model {entry.name!r} already, choose another name")
    check_entry(entry)
    if hub is not None:
        folder = download(hub, file.absolute().parent / "models" / entry.name)
        entry = entry.model_copy(update={"path": folder})
    add_table(file, entry)
    print(f"{file}: added {entry.name}; try: entroscope models check {entry.name}")
    return 0


def _place(field: str, value: Any) -> Any:
    if field in PLACES or (field == "labels" and value not in LABEL_SETS):
        return str(Path(value).expanduser().absolute())
    return value


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise ValueError(f"--option: expected KEY=VALUE, got {text!r}")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def show(models: Sequence[str] | None) -> int:
    """Print every model of a list, or all; nothing is loaded."""
    console = Console()
    table = Table("model", "family", "from", "", box=None, pad_edge=False)
    wrong = []
    for offer in offers(models):
        mark = Text("fault", "red") if offer.fault else Text("ok", "green")
        table.add_row(offer.name, offer.family, Text(offer.where, overflow="fold"), mark)
        wrong += [offer.fault] if offer.fault else []
    console.print(table)
    for fault in wrong:
        console.print(Text(fault), soft_wrap=True)
    return 0


def check(name: str, models: Sequence[str] | None, device: str) -> int:
    """Load a model, print its size, its speed and each check; return 1 if one fails."""
    model = find_offer(name, models).load(find_device(device))
    console = Console()
    console.print(f"{model.info.title}: {_size(model)}", highlight=False, soft_wrap=True)
    failed = 0
    for result in model_checks(model):
        mark = "[green]ok[/]   " if result.ok else "[red]fails[/]"
        console.print(
            f"{mark} {result.name}:", Text(result.detail), highlight=False, soft_wrap=True
        )
        failed += not result.ok
    if not failed:
        rate = probed(model)[1].pairs_per_second
        console.print(f"{rate:.3g} evaluations a second on {model.device}", highlight=False)
    return FAILED if failed else 0


def _size(model: Model) -> str:
    info = model.info
    count, size = num_weights(model)
    held = f"{count:,} weights, {size / 2**20:,.1f} MiB" if count else "no network"
    labels = f"{len(info.labels)} labels" if info.labels else f"labels: {info.label_kind}"
    return f"data {info.shape}, {labels}, {held}"


def import_pickle(pickle: Path, out: Path | None) -> int:
    """Turn a published pickle into safetensors and JSON."""
    from entroscope_workers.importing.nvidia import import_published

    written = import_published(pickle, out or pickle.with_suffix(".safetensors"))
    print(f"{written.weights}: {written.class_name}, {written.num_tensors} tensors")
    print(f"{written.config}: how it is built")
    return 0
