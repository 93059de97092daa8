"""The binary frame: uint32 little-endian header length, JSON header, body; and arrays in one."""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pack(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return one frame."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text + body


def unpack(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Return header and body of one frame.

    Raises:
        ValueError: the frame is cut short or its header is not a JSON object.
    """
    if len(frame) < 4:
        raise ValueError(f"a frame has at least 4 bytes, got {len(frame)}")
    (length,) = struct.unpack_from("<I", frame)
    if len(frame) < 4 + length:
        raise ValueError(f"the header has {length} bytes, the frame only {len(frame) - 4}")
    header = json.loads(frame[4 : 4 + length])
    if not isinstance(header, dict):
        raise ValueError(f"the header must be an object, got {type(header).__name__}")
    return header, frame[4 + length :]


def pack_arrays(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a frame whose body is the arrays' bytes, described under "arrays" in the header."""
    described = {name: [a.dtype.str, list(a.shape)] for name, a in arrays.items()}
    body = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays.values())
    return pack({**header, "arrays": described}, body)


def unpack_arrays(frame: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays of a frame made by `pack_arrays`."""
    header, body = unpack(frame)
    arrays: dict[str, NDArray[Any]] = {}
    start = 0
    for name, (dtype, shape) in header.pop("arrays").items():
        count = math.prod(shape)
        arrays[name] = np.frombuffer(body, dtype, count, start).reshape(shape)
        start += count * np.dtype(dtype).itemsize
    return header, arrays


def finite(value: Any) -> Any:
    """Return a JSON document with every non-finite number replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, np.generic):
        return finite(value.item())
    return value
