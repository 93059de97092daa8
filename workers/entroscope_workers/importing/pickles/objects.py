"""The names that published pickles use, and what stands in for each: inert records."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from entroscope_workers.importing.pickles.machine import Allowance, Call, Name, Refused
from entroscope_workers.importing.pickles.tensors import read_storage, stored_tensor

PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
#: torch's own containers of modules; the networks of the published files need no other class.
CONTAINERS = ("ModuleDict", "ModuleList", "Sequential")
#: Bytes a member of a set takes, about.
MEMBER_BYTES = 64


class Module:
    """An object of a class that nobody looks up: its name and its attributes."""

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name
        self.state: dict[Any, Any] = {}

    def keep(self, state: Any) -> None:
        if type(state) is not dict:
            raise Refused(f"a {type(state).__name__} as the state of {self.class_name}")
        self.state = state


class NumpyArray:
    """An array that nobody needs: settings of the training."""

    def keep(self, state: Any) -> None:
        """Keep nothing."""


class NumpyType:
    """The type of a number: its letter, its bytes and their order."""

    def __init__(self, code: Any, *flags: Any) -> None:
        if not (isinstance(code, str) and re.fullmatch(r"[fiub][1248]", code)):
            raise Refused(f"numbers of type {code!r:.20}")
        self._code, self._order = code, "<"

    def keep(self, state: Any) -> None:
        if type(state) is tuple and len(state) > 1 and state[1] in ("<", ">"):
            self._order = state[1]

    def number(self, raw: Any) -> int | float | bool:
        """Return a number from its bytes."""
        (value,) = np.frombuffer(raw, self._order + self._code).tolist()
        number: int | float | bool = value
        return number


def known_calls(allowance: Allowance) -> Mapping[str, Call | None]:
    """Return every name a published pickle may use, with what a call of it does."""
    calls: dict[str, Call | None] = {
        PERSISTENT: _persistent,
        "dnnlib.util.EasyDict": _empty_dict,
        "collections.OrderedDict": _empty_dict,
        "builtins.set": partial(_set, allowance),
        "builtins.dict": None,
        "builtins.object": None,
        "copyreg._reconstructor": _reconstructed,
        "_codecs.encode": partial(_encoded, allowance),
        "torch._utils._rebuild_tensor_v2": stored_tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch.storage._load_from_bytes": lambda data: read_storage(data, allowance),
        "torch.Size": _size,
    }
    for name in CONTAINERS:
        full = f"torch.nn.modules.container.{name}"
        calls[full] = partial(Module, full)
    for core in ("numpy.core", "numpy._core"):
        calls[f"{core}.multiarray.scalar"] = _scalar
        calls[f"{core}.multiarray._reconstruct"] = _array
        calls[f"{core}.numeric._frombuffer"] = _array
    return calls | {"numpy.dtype": NumpyType, "numpy.ndarray": None}


def _persistent(meta: Any) -> Module:
    """Return the object of a `meta`; its program text (module_src) stays what it is: text."""
    name = meta.get("class_name") if type(meta) is dict else None
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise Refused(f"{PERSISTENT} of something else than a class and its state")
    module = Module(name)
    module.keep(meta.get("state"))
    return module


def _empty_dict() -> dict[Any, Any]:
    return {}


def _set(allowance: Allowance, items: Any) -> set[Any]:
    if type(items) is not list or not all(isinstance(item, str | int) for item in items):
        raise Refused("a set of something else than texts and numbers")
    allowance.spend(MEMBER_BYTES * len(items))
    return set(items)


def _reconstructed(kind: Any, base: Any, state: Any) -> Any:
    """Return a fresh object, as pickles of the oldest protocols make them."""
    name = kind.full if isinstance(kind, Name) else ""
    if name == "dnnlib.util.EasyDict" and type(state) is dict:
        return state
    if name.startswith("torch.nn.modules.container.") and state is None:
        return Module(name)
    raise Refused(f"copyreg._reconstructor of {name or type(kind).__name__}")


def _encoded(allowance: Allowance, text: Any, encoding: Any) -> bytes:
    """Return bytes, which the older protocols write as text."""
    if not isinstance(text, str) or encoding != "latin1":
        raise Refused(f"_codecs.encode to {encoding!r:.20}")
    allowance.spend(len(text))
    return text.encode("latin1")


def _parameter(data: Any, *rest: Any) -> Any:
    return data


def _size(values: Any) -> tuple[Any, ...]:
    if type(values) not in (tuple, list):
        raise Refused(f"a size of a {type(values).__name__}")
    return tuple(values)


def _scalar(kind: Any, raw: Any) -> int | float | bool:
    if not isinstance(kind, NumpyType) or not isinstance(raw, bytes) or len(raw) > 8:
        raise Refused("a number of an unknown type")
    return kind.number(raw)


def _array(*description: Any) -> NumpyArray:
    return NumpyArray()
