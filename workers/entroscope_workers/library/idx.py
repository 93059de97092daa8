"""Read pictures and labels in the IDX format of MNIST and its kin, plain or gzipped."""

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Part = Literal["train", "t10k"]
#: IDX code of the only element type the MNIST family uses: unsigned bytes.
_UINT8 = 8


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """Pictures (n, height, width) and labels (n,), both uint8, and SHA-256 of the raw IDX bytes."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    checksums: dict[str, str]


def read_part(folder: Path, part: Part, num_classes: int = 10) -> LabelledPictures:
    """Return the training ("train") or test ("t10k") part of a folder of IDX files."""
    contents = {
        kind: _raw(folder, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")
    }
    pictures = parse_idx(contents["images-idx3"], 3, f"{part} images")
    labels = parse_idx(contents["labels-idx1"], 1, f"{part} labels")
    if len(pictures) != len(labels):
        raise ValueError(f"{part}: {len(pictures)} pictures but {len(labels)} labels in {folder}")
    if labels.size and labels.max() >= num_classes:
        raise ValueError(f"{part}: labels must be below {num_classes}, got {labels.max()}")
    checksums = {
        f"{part}-{kind}-ubyte": hashlib.sha256(raw).hexdigest() for kind, raw in contents.items()
    }
    return LabelledPictures(pictures, labels, checksums)


def parse_idx(raw: bytes, num_dimensions: int, name: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file: 0, 0, type, dimensions; sizes, big-endian; then the data."""
    header = 4 + 4 * num_dimensions
    if len(raw) < header:
        raise ValueError(f"{name}: not an IDX file, only {len(raw)} bytes")
    if raw[:4] != bytes((0, 0, _UINT8, num_dimensions)):
        raise ValueError(
            f"{name}: expected an IDX file of bytes in {num_dimensions} dimensions,"
            f" its first four bytes are {raw[:4].hex()}"
        )
    shape = struct.unpack(f">{num_dimensions}I", raw[4:header])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(raw) - header != expected:
        raise ValueError(f"{name}: expected {expected} values, found {len(raw) - header}")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def _raw(folder: Path, stem: str) -> bytes:
    plain, gzipped = folder / stem, folder / f"{stem}.gz"
    if plain.is_file():
        return plain.read_bytes()
    if not gzipped.is_file():
        raise ValueError(f"no {stem} and no {stem}.gz in {folder}")
    try:
        return gzip.decompress(gzipped.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{gzipped} is not a whole gzip file: {error}") from error
