"""NVIDIA's published checkpoints, as safetensors and JSON: what `entroscope models import` writes.

The pickles hold program text beside the weights; none of it is run (pickles/).
"""

import hashlib
import json
import math
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors.torch

from entroscope_workers.importing.pickles.machine import Allowance, Machine
from entroscope_workers.importing.pickles.objects import Module, known_calls
from entroscope_workers.importing.pickles.tensors import StoredTensor, total_bytes

DEEPEST_MODULE = 32
MOST_MODULES = 20_000
MOST_ARGUMENTS = 10_000
#: What a parameter or a module may be called.
NAME = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """The files of an imported network."""

    weights: Path
    config: Path
    class_name: str
    num_tensors: int


@dataclass(frozen=True, slots=True)
class Published:
    """The network of a published pickle.

    Attributes:
        config: the arguments its constructor was given.
    """

    class_name: str
    config: dict[str, Any]
    tensors: dict[str, StoredTensor]


def import_published(pickle: Path, out: Path) -> Written:
    """Write the network of a pickle as OUT.safetensors and OUT.json.

    Raises:
        ValueError: the pickle holds something else, or more than data; nothing was written.
    """
    beside = out.with_suffix(".json")
    if out.suffix != ".safetensors":
        raise ValueError(f"--out: expected a name that ends in .safetensors, got {str(out)!r}")
    for file in (out, beside):
        if file.exists():
            raise ValueError(f"{file} is there already: remove it first, or choose another --out")
    with pickle.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    try:
        network = read_published(pickle)
    except ValueError as error:
        raise ValueError(f"{pickle}: {error}") from error
    config = json.dumps(network.config)
    metadata = {"class_name": network.class_name, "config": config, "source_sha256": digest}
    weights = {name: stored.tensor() for name, stored in network.tensors.items()}
    with _fresh(out) as fresh:
        safetensors.torch.save_file(weights, fresh, metadata)
    source = {"file": pickle.name, "sha256": digest}
    document = {"class_name": network.class_name, "config": network.config, "source": source}
    with _fresh(beside) as fresh:
        fresh.write_text(json.dumps(document, indent=1) + "\n")
    return Written(out, beside, network.class_name, len(weights))


@contextmanager
def _fresh(file: Path) -> Iterator[Path]:
    """Give a place to write to; what is there afterwards becomes the file, whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield fresh
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def read_published(pickle: Path) -> Published:
    """Return the network under "ema" in a pickle.

    Raises:
        ValueError: there is none.
    """
    size = pickle.stat().st_size
    document = _document(pickle, size)
    if type(document) is not dict or "ema" not in document:
        raise ValueError(f"expected a dict with 'ema', found {_shape(document)}")
    network = document["ema"]
    if not isinstance(network, Module):
        raise ValueError(f"expected one network under 'ema', found {_shape(network)}")
    tensors = dict(_tensors(network))
    if not tensors:
        raise ValueError(f"expected a network with weights, found none in {network.class_name}")
    if total_bytes(list(tensors.values())) > size:
        raise ValueError("refused: weights larger than the file")
    return Published(network.class_name, _config(network), tensors)


def _document(pickle: Path, size: int) -> Any:
    with pickle.open("rb") as opened:
        if opened.read(2) == b"PK":
            raise ValueError("expected a plain pickle, found a zip archive")
        if not size:
            raise ValueError("expected a pickle, found an empty file")
        # A pickle may announce any length: a map of the file hands out what there is.
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            allowance = Allowance(size)
            calls = known_calls(allowance)
            return Machine(cast(Any, content), calls, allowance).read()


def _shape(value: Any) -> str:
    if isinstance(value, Module):
        return f"an object of class {value.class_name}"
    if type(value) is dict:
        return f"a dict with {', '.join(repr(key)[:30] for key in list(value)[:8]) or 'nothing'}"
    return f"a {type(value).__name__}" if not isinstance(value, float) else f"{value}"


def _tensors(network: Module) -> Iterator[tuple[str, StoredTensor]]:
    """Yield what the state dict of a module would hold, under the same names."""
    waiting, seen = [("", network, 0)], 0
    while waiting:
        prefix, module, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST_MODULE or seen > MOST_MODULES:
            raise ValueError(f"refused: modules nested without end at {prefix!r:.60}")
        passing = module.state.get("_non_persistent_buffers_set") or ()
        for kind in ("_parameters", "_buffers"):
            for name, value in _items(module, kind):
                if isinstance(value, StoredTensor) and not (kind == "_buffers" and name in passing):
                    yield prefix + name, value
        for name, child in _items(module, "_modules"):
            if isinstance(child, Module):
                waiting.append((f"{prefix}{name}.", child, depth + 1))


def _items(module: Module, kind: str) -> list[tuple[str, Any]]:
    tensors = module.state.get(kind, {})
    if type(tensors) is not dict:
        raise ValueError(f"expected a dict as {kind}, found {_shape(tensors)}")
    for name in tensors:
        if not isinstance(name, str) or not NAME.fullmatch(name) or name == "__metadata__":
            raise ValueError(f"expected names in {kind}, found {name!r:.40}")
    return list(tensors.items())


def _config(network: Module) -> dict[str, Any]:
    unnamed = network.state.get("_init_args", ())
    if unnamed:
        raise ValueError(f"expected arguments by name, found {len(unnamed)} of another kind")
    arguments = network.state.get("_init_kwargs")
    if type(arguments) is not dict:
        raise ValueError(f"expected the constructor's arguments, found {_shape(arguments)}")
    room = iter(range(MOST_ARGUMENTS))
    return {str(name): _plain(str(name), value, room, 0) for name, value in arguments.items()}


def _plain(field: str, value: Any, room: Iterator[int], depth: int) -> Any:
    """Return an argument as JSON has it."""
    if next(room, None) is None or depth > 8:
        raise ValueError(f"refused: the argument {field!r} has no end")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if type(value) in (list, tuple):
        return [_plain(field, item, room, depth + 1) for item in value]
    if type(value) is dict:
        return {str(key): _plain(field, item, room, depth + 1) for key, item in value.items()}
    raise ValueError(f"expected a plain value of the argument {field!r}, found {_shape(value)}")
