"""The commands `entroscope models ...`, and the option --models of all that load models."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from entroscope.paths import default_models_file

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

FILES = (".toml", ".py")
#: What `models add` is told of an entry, besides its options.
ENTRY_FIELDS = (
    "name",
    "family",
    "path",
    "unconditional",
    "config",
    "labels",
    "vae",
    "dtype",
    "title",
    "description",
)
LIST = (
    "these models only, separated by commas: a name; FILE.toml or FILE.py, all models of a file; "
    "FILE:NAME, one of them"
)


def models_option(options: argparse.ArgumentParser) -> None:
    """Add --models to a command."""
    options.add_argument("--models", type=model_list, metavar="LIST", help=LIST)


def model_list(text: str) -> list[str]:
    """Return the items of a list of models, files with their full paths: workers start anywhere."""
    return [_absolute(item.strip()) for item in text.split(",") if item.strip()]


def _absolute(item: str) -> str:
    file, colon, name = item.rpartition(":") if not item.endswith(FILES) else (item, "", "")
    return f"{Path(file).expanduser().absolute()}{colon}{name}" if file.endswith(FILES) else item


def models_parser(commands: "Commands") -> None:
    """Add `models` and its own commands."""
    about = "your own models: add, list, check, import"
    options = commands.add_parser("models", help=about, description=about)
    actions = options.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_parser(actions)
    _list_parser(actions)
    _check_parser(actions)
    _import_parser(actions)


def _add_parser(commands: "Commands") -> None:
    about = "write a model into your models.toml"
    options = commands.add_parser("add", help=about, description=about)
    options.add_argument("name", metavar="NAME", help="what runs call it, e.g. edm2-xs")
    options.add_argument("--family", required=True, help="kind of network, e.g. edm2")
    options.add_argument(
        "--path", type=Path, help="weights (safetensors), or a folder of diffusers"
    )
    options.add_argument(
        "--hub", metavar="ID", help="download this model of huggingface.co instead"
    )
    options.add_argument("--unconditional", type=Path, metavar="FILE", help="a separate network")
    options.add_argument(
        "--config", type=Path, metavar="FOLDER", help="configurations that a single file lacks"
    )
    options.add_argument("--labels", help="FILE with one name a line, or a set, e.g. imagenet")
    options.add_argument("--vae", type=Path, metavar="FOLDER", help="decoder of latents")
    options.add_argument("--dtype", help="float32, float16 or bfloat16; default: by the device")
    options.add_argument("--title", help="what the page calls it")
    options.add_argument("--description", help="what the page says of it")
    options.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what only this family understands; may be repeated",
    )
    _file_option(options)
    options.set_defaults(run=_add)


def _file_option(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--file", type=Path, default=default_models_file(), help="the list (%(default)s)"
    )


def _list_parser(commands: "Commands") -> None:
    about = "every model there is: name, family, where it is from, what is wrong with it"
    options = commands.add_parser("list", help=about, description=about)
    models_option(options)
    options.set_defaults(run=_list)


def _check_parser(commands: "Commands") -> None:
    about = "load a model and ask it what every model must keep; status 1 if it fails"
    options = commands.add_parser("check", help=about, description=about)
    options.add_argument("name", metavar="NAME")
    models_option(options)
    options.add_argument("--device", default="auto", help="cpu, cuda, ...; default: a GPU if any")
    options.set_defaults(run=_check)


def _import_parser(commands: "Commands") -> None:
    about = "turn a pickle of NVIDIA's into safetensors and JSON; nothing inside it is run"
    options = commands.add_parser("import", help=about, description=about)
    options.add_argument("pickle", type=Path, metavar="FILE.pkl")
    options.add_argument("--out", type=Path, metavar="FILE.safetensors", help="default: beside it")
    options.set_defaults(run=_import)


def _add(options: argparse.Namespace) -> int:
    from entroscope_workers.commands.models import add

    fields = {field: getattr(options, field) for field in ENTRY_FIELDS}
    return add(options.file, fields, options.option, options.hub)


def _list(options: argparse.Namespace) -> int:
    from entroscope_workers.commands.models import show

    return show(options.models)


def _check(options: argparse.Namespace) -> int:
    from entroscope_workers.commands.models import check

    return check(options.name, options.models, options.device)


def _import(options: argparse.Namespace) -> int:
    from entroscope_workers.commands.models import import_pickle

    return import_pickle(options.pickle, options.out)
