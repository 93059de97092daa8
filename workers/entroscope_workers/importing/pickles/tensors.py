"""Tensors as plain pickles hold them: a storage in torch's older format, and a view of it."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from entroscope_workers.importing.pickles.machine import Allowance, Machine, Name, Refused

#: What the three parts of the format begin with: torch.serialization's own numbers.
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
MOST_AXES, LARGEST = 16, 2**48
DTYPES = {
    "torch.DoubleStorage": torch.float64,
    "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}


@dataclass(frozen=True, slots=True)
class Storage:
    """Numbers in a row, as they are in the file."""

    dtype: torch.dtype
    count: int
    raw: memoryview


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A view of a storage that lies inside it and repeats nothing."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.size) * self.storage.dtype.itemsize

    def tensor(self) -> Tensor:
        """Return a tensor with memory of its own."""
        if not self.storage.count:
            return torch.empty(self.size, dtype=self.storage.dtype)
        row = torch.frombuffer(bytearray(self.storage.raw), dtype=self.storage.dtype)
        view = row.as_strided(self.size, self.stride, self.offset)
        return view.clone(memory_format=torch.contiguous_format)


def stored_tensor(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> StoredTensor:
    """Return what torch._utils._rebuild_tensor_v2 would build; whether it has a gradient is lost.

    Raises:
        ValueError: it would read outside its storage, or repeat parts of it.
    """
    if not isinstance(storage, Storage):
        raise Refused(f"a tensor of a {type(storage).__name__}")
    size, stride = _integers(size), _integers(stride)
    (offset,) = _integers((offset,))
    if len(size) != len(stride):
        raise ValueError(f"a tensor of size {size} with strides {stride}")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    numel = math.prod(size)
    if numel > storage.count or (numel and last >= storage.count):
        raise ValueError(f"a tensor of size {size} in a storage of {storage.count} numbers")
    return StoredTensor(storage, offset, size, stride)


def _integers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or len(values) > MOST_AXES:
        raise ValueError(f"expected up to {MOST_AXES} sizes of a tensor")
    if not all(type(n) is int and 0 <= n < LARGEST for n in values):
        raise ValueError("sizes of a tensor that are no sizes")
    return values


def read_storage(data: Any, allowance: Allowance) -> Storage:
    """Return what torch.storage._load_from_bytes would load; only a storage is taken.

    Raises:
        ValueError: it is something else (Refused: more than data).
    """
    if not isinstance(data, bytes):
        raise Refused(f"a storage of a {type(data).__name__}")
    if data.startswith(b"PK"):
        raise Refused("a zip archive as a storage")
    stream = io.BytesIO(data)
    parts = [Machine(stream, _NAMES, allowance, _storage).read() for _ in range(5)]
    magic, protocol, system, storage, keys = parts
    little = isinstance(system, dict) and system.get("little_endian") is True
    if (magic, protocol, little) != (MAGIC, PROTOCOL, True):
        raise ValueError("a storage that torch has not written")
    if not isinstance(storage, _Announced) or keys != [storage.key]:
        raise ValueError("expected one storage")
    return _filled(storage, stream, memoryview(data))


@dataclass(frozen=True, slots=True)
class _Announced:
    """A storage whose numbers come at the end."""

    dtype: torch.dtype
    key: str
    count: int


def _storage(identity: Any) -> _Announced:
    kind, dtype, key, _location, count, *_view = identity
    if kind != "storage" or not isinstance(dtype, Name) or type(count) is not int:
        raise ValueError("expected a storage")
    return _Announced(DTYPES[dtype.full], str(key), count)


def _filled(storage: _Announced, stream: io.BytesIO, data: memoryview) -> Storage:
    count = int.from_bytes(stream.read(8), "little")
    raw = data[stream.tell() :]
    if count != storage.count or len(raw) != count * storage.dtype.itemsize:
        raise ValueError(f"a storage of {storage.count} numbers with {len(raw)} bytes")
    return Storage(storage.dtype, count, raw)


_NAMES: dict[str, None] = dict.fromkeys(DTYPES)


def total_bytes(tensors: Sequence[StoredTensor]) -> int:
    """Return how much memory tensors take when each has its own."""
    return sum(tensor.nbytes for tensor in tensors)
