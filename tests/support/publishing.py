"""Writes checkpoints as NVIDIA's programs publish them: a pickle with program text inside.

Their modules are not here; look-alikes of the same names stand in for them while a file is written.
"""

import json
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Would leave a file behind if anyone ran it.
PROGRAM = "open('was-run', 'w').write('the program text was run')"


class EasyDict(dict[str, Any]):
    """A dict whose keys are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def _reconstruct_persistent_obj(meta: Any) -> Any:
    raise AssertionError("reading must not call this")


class Persistent(nn.Module):
    """A module that is pickled with the text of its program."""

    def __init__(self, class_name: str, **arguments: Any) -> None:
        super().__init__()
        self.class_name = class_name
        self._init_args = ()
        self._init_kwargs = EasyDict(arguments)
        self.gain = np.float64(0.5) ** 0.5  # settings of training are numbers of numpy's
        self.scale = np.array([4.17, 4.62], np.float32)

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[dict[str, Any]]]:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": PROGRAM,
            "class_name": self.class_name,
            "state": dict(self.__dict__),
        }
        return _reconstruct_persistent_obj, (meta,)


def golden(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the constructor's arguments and the state of a network of reference numbers."""
    with np.load(file) as arrays:
        state = {
            name.removeprefix("state/"): torch.from_numpy(arrays[name])
            for name in arrays
            if name.startswith("state/")
        }
        return json.loads(str(arrays["config"])), state


def network(class_name: str, config: dict[str, Any], state: dict[str, Tensor]) -> Persistent:
    """Return modules nested as the names of a state say; enc and dec are torch's own ModuleDict."""
    top = Persistent(class_name, **config)
    for name, value in state.items():
        *path, last = name.split(".")
        module: nn.Module = top
        for part in path:
            children = module._modules
            if part not in children:
                own = part not in ("enc", "dec")
                children[part] = Persistent("Layer", width=3) if own else nn.ModuleDict()
            child = children[part]
            assert child is not None
            module = child
        if last in ("freqs", "phases"):
            module.register_buffer(last, value)
        else:
            module.register_parameter(last, nn.Parameter(value))
    top.register_parameter("absent", None)
    top.register_buffer("passing", torch.ones(3), persistent=False)
    return top


def publish(file: Path, ema: Any, protocol: int = 4, **more: Any) -> Path:
    """Write a checkpoint with a network under "ema"."""
    document = {
        "ema": ema,
        "dataset_kwargs": EasyDict(path="imagenet.zip", use_labels=True),
        **more,
    }
    with _modules():
        file.write_bytes(pickle.dumps(document, protocol))
    return file


@contextmanager
def _modules() -> Iterator[None]:
    """Put the look-alikes where pickle looks for them, under their published names."""
    names: dict[str, tuple[type | Callable[[Any], Any], ...]] = {
        "dnnlib.util": (EasyDict,),
        "torch_utils.persistence": (_reconstruct_persistent_obj,),
    }
    made = {name: types.ModuleType(name) for name in names}
    for name, things in names.items():
        for thing in things:
            setattr(made[name], thing.__name__, thing)
            thing.__module__ = name
    packages = {name.partition(".")[0]: types.ModuleType(name.partition(".")[0]) for name in names}
    before = dict(sys.modules)
    sys.modules.update(made | packages)
    try:
        yield
    finally:
        for name in made | packages:
            sys.modules.pop(name)
        sys.modules.update({n: m for n, m in before.items() if n in made | packages})
