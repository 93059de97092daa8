"""Folders as diffusers writes them: networks with their weights, and schedules.

Nothing is looked up on a hub, and no pickle is run.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from entroscope_workers.models.entry import Entry
from entroscope_workers.numerics.ddpm import DdpmSchedule

WEIGHTS = "diffusion_pytorch_model"
#: What diffusers and torch raise for files and configurations that make no network.
_UNREADABLE = (
    *(OSError, ImportError, SafetensorError, RuntimeError),
    *(ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError),
)


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network of diffusers, in evaluation mode, and the configuration it was built from.

    Attributes:
        network: a torch module; diffusers' classes are imported only where one is loaded.
        files: what its answers depend on, for a hash.
    """

    network: Any
    config: Mapping[str, Any]
    files: tuple[Path, ...]


def load_network(folder: Path, class_name: str, dtype: torch.dtype) -> LoadedNetwork:
    """Return the network of a folder with config.json and weights.

    Raises:
        ValueError: which file is missing, corrupt, or of another network.
    """
    config = read_config(folder / "config.json")
    written = config.get("_class_name", class_name)
    if written != class_name:
        raise ValueError(
            f"{folder / 'config.json'}: expected class {class_name!r}, found {written!r}"
        )
    files = _weights(folder)
    network, info = _read(folder, class_name, dtype, files)
    _check_complete(info, folder, class_name)
    network.requires_grad_(False)
    return LoadedNetwork(network.eval(), config, (folder / "config.json", *files))


def load_schedule(folder: Path, clip: bool = False) -> tuple[DdpmSchedule, Path]:
    """Return the noise levels of a model folder's scheduler/ and the file that says them.

    Raises:
        ValueError: the file is missing, or is not of a DDPM-type scheduler.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    config = read_config(path)
    try:
        return DdpmSchedule.from_scheduler_config(config, clip=clip), path
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def read_config(path: Path) -> dict[str, Any]:
    """Return what a configuration says.

    Raises:
        ValueError: the file is missing, or no JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"{path.parent}: expected {path.name} in it, found {_contents(path.parent)}"
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(document).__name__}")
    return document


def model_folder(entry: Entry, unused: Iterable[str]) -> Path:
    """Return the folder of an entry.

    Args:
        unused: fields of the entry that the family does not understand.
    Raises:
        ValueError: the path is no folder, or one of the fields is set.
    """
    for field in unused:
        if getattr(entry, field) is not None:
            raise ValueError(
                f"model {entry.name!r}: family {entry.family!r} takes no {field!r},"
                f" got {str(getattr(entry, field))!r}"
            )
    path = entry.need_path()
    if not path.is_dir():
        raise ValueError(
            f"model {entry.name!r}: path: expected a folder as diffusers writes it, found the"
            f" file {str(path)!r}"
        )
    return path


def hash_files(files: Iterable[Path]) -> str:
    """Return 16 hexadecimal digits of SHA-256 over the contents of files."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _weights(folder: Path) -> tuple[Path, ...]:
    """Return the files of weights: one, or an index and its shards; safetensors before others."""
    for ending in ("safetensors", "bin"):
        if (whole := folder / f"{WEIGHTS}.{ending}").is_file():
            return (whole,)
        if (index := folder / f"{WEIGHTS}.{ending}.index.json").is_file():
            return (index, *_shards(index))
        if len(variants := sorted(folder.glob(f"{WEIGHTS}.*.{ending}"))) == 1:
            return (variants[0],)
    raise ValueError(f"{folder}: expected {WEIGHTS}.safetensors in it, found {_contents(folder)}")


def _read(
    folder: Path, class_name: str, dtype: torch.dtype, files: tuple[Path, ...]
) -> tuple[Any, Mapping[str, Any]]:
    """Return the network as diffusers reads it, and what it says of the weights."""
    import diffusers
    from diffusers.utils import is_accelerate_available

    try:
        network, info = getattr(diffusers, class_name).from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=files[-1].suffix == ".safetensors",
            variant=_variant(files),
            torch_dtype=dtype,
            # With that package no second copy of the weights is made.
            low_cpu_mem_usage=is_accelerate_available(),
            output_loading_info=True,
        )
    except _UNREADABLE as error:
        raise ValueError(f"{folder}: cannot be read as {class_name}: {_sentence(error)}") from error
    return network, info


def _shards(index: Path) -> list[Path]:
    names = read_config(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise ValueError(f"{index}: expected a 'weight_map' of tensors to files")
    shards = [index.parent / Path(str(name)).name for name in sorted({*names.values()})]
    if missing := [path.name for path in shards if not path.is_file()]:
        raise ValueError(f"{index}: expected {missing[0]!r} beside it, found none")
    return shards


def _variant(files: tuple[Path, ...]) -> str | None:
    """Return "fp16" of a single file diffusion_pytorch_model.fp16.safetensors."""
    middle = files[0].name.removeprefix(f"{WEIGHTS}.").split(".")[:-1]
    return middle[0] if len(files) == 1 and middle else None


def _contents(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "") if names else "nothing"


def _check_complete(info: Mapping[str, Any], folder: Path, class_name: str) -> None:
    """diffusers leaves tensors that are missing as they happen to be, and says so in a log."""
    for kind, meaning in (("missing_keys", "lack"), ("unexpected_keys", "hold one too many:")):
        if names := sorted(info[kind]):
            raise ValueError(
                f"{folder}: expected the weights of its {class_name}; they {meaning} {names[0]!r}"
            )
    if wrong := [*info["mismatched_keys"], *info["error_msgs"]]:
        raise ValueError(f"{folder}: expected the weights of its {class_name}: {wrong[0]}")


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch's first line says "Error(s) in loading state_dict"; the second one which.
    return " ".join(lines[:2])[:300] if lines else type(error).__name__
