"""How large the networks of a model are, wherever in the model they stand."""

import functools
import types
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

#: Objects between a model and its networks.
DEEPEST = 8
_ENDS = (Tensor, type, types.ModuleType, str, bytes, int, float)


def num_weights(model: object) -> tuple[int, int]:
    """Return how many numbers the networks of a model hold, buffers among them, and their bytes."""
    tensors: dict[int, Tensor] = {}
    _walk(model, tensors, set(), 0)
    return sum(t.numel() for t in tensors.values()), sum(t.nbytes for t in tensors.values())


def _walk(value: object, tensors: dict[int, Tensor], seen: set[int], depth: int) -> None:
    if depth > DEEPEST or isinstance(value, _ENDS) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, nn.Module):
        held = (*value.parameters(), *value.buffers())
        tensors.update({tensor.data_ptr(): tensor for tensor in held if tensor.numel()})
        return
    for part in _parts(value):
        _walk(part, tensors, seen, depth + 1)


def _parts(value: object) -> Iterable[object]:
    """Return what an object holds: items, attributes, or what a function is closed over."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return value
    if isinstance(value, functools.partial):
        return (value.func, value.args, value.keywords)
    if isinstance(value, types.MethodType):
        return (value.__self__,)
    if isinstance(value, types.FunctionType):
        cells = value.__closure__ or ()
        return [cell.cell_contents for cell in cells if cell != types.CellType()]
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*vars(value).values()] if hasattr(value, "__dict__") else _slotted(value, slots)


def _slotted(value: object, slots: Iterable[str]) -> list[object]:
    return [getattr(value, name) for name in slots if hasattr(value, name)]
