"""What a checkpoint must hold before a network takes its weights."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor


def check_shapes(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Raise a ValueError that says which tensor is missing, too many or of another shape."""
    if missing := sorted(expected.keys() ^ weights.keys()):
        raise ValueError(
            f"{path}: expected {len(expected)} tensors, found {len(weights)};"
            f" {missing[0]!r} is in one of them only"
        )
    for name, tensor in expected.items():
        if tensor.shape != weights[name].shape:
            wanted, got = tuple(tensor.shape), tuple(weights[name].shape)
            raise ValueError(f"{path}: expected {name!r} of shape {wanted}, found {got}")
