"""IDX files are read whole or refused with the reason."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from entroscope_workers.library.idx import parse_idx, read_part

PICTURES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([0, 9, 4], np.uint8)


def idx(array: NDArray[np.uint8]) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write(folder: Path, pictures: bytes, labels: bytes) -> Path:
    (folder / "train-images-idx3-ubyte").write_bytes(pictures)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return folder


def test_plain_and_gzipped_files_are_read(tmp_path: Path) -> None:
    part = read_part(write(tmp_path, idx(PICTURES), idx(LABELS)), "train")
    np.testing.assert_array_equal(part.pictures, PICTURES)
    np.testing.assert_array_equal(part.labels, LABELS)


def test_the_checksum_does_not_depend_on_compression(tmp_path: Path) -> None:
    write(tmp_path, idx(PICTURES), idx(LABELS))
    before = read_part(tmp_path, "train").checksums
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    assert read_part(tmp_path, "train").checksums == before


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no train-images-idx3-ubyte and no .*gz in"):
        read_part(tmp_path, "train")


def test_a_broken_gzip_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, idx(PICTURES), idx(LABELS))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS))[:-9])
    with pytest.raises(ValueError, match=r"labels-idx1-ubyte\.gz is not a whole gzip file"):
        read_part(tmp_path, "train")


def test_counts_must_agree(tmp_path: Path) -> None:
    write(tmp_path, idx(PICTURES), idx(LABELS[:2]))
    with pytest.raises(ValueError, match="3 pictures but 2 labels"):
        read_part(tmp_path, "train")


def test_labels_must_be_classes(tmp_path: Path) -> None:
    write(tmp_path, idx(PICTURES), idx(np.array([0, 10, 4], np.uint8)))
    with pytest.raises(ValueError, match="labels must be below 10, got 10"):
        read_part(tmp_path, "train")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "only 0 bytes"),
        (b"PNG!" + bytes(40), "first four bytes are 504e4721"),
        (idx(LABELS) + bytes(12), "first four bytes are 00000801"),
        (idx(PICTURES)[:-1], "expected 60 values, found 59"),
        (idx(PICTURES) + b"!", "expected 60 values, found 61"),
    ],
)
def test_what_is_no_idx_file_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_idx(raw, 3, "train images")
