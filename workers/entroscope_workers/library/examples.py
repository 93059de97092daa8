"""Labelled pictures from a folder: IDX files, or one folder of images a class."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from entroscope.protocol.models import DataInfo
from entroscope.protocol.slugs import slug, unique_slugs
from entroscope_workers.library.idx import Part, read_part

#: The test part comes first: what a model was trained on says little of what it has learnt.
PARTS: tuple[Part, ...] = ("t10k", "train")
ENDINGS = frozenset({".png", ".jpg", ".jpeg"})
#: Largest set of decoded pictures, in bytes: they are kept in memory.
MOST_BYTES = 4 * 2**30
#: Modes of a picture that become the model's without loss.
MODES = {1: frozenset({"L", "1"}), 3: frozenset({"RGB", "L"})}

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled pictures, in the order of their labels.

    Attributes:
        pictures: (n, height, width, channels), uint8.
        starts: (labels + 1,), where the examples of each label begin, and the end.
    """

    pictures: Pictures
    starts: NDArray[np.int64]
    info: DataInfo

    def pick(self, labels: NDArray[np.int64], uniform: NDArray[np.float64]) -> Pictures:
        """Return one picture of each label, by a uniform in [0, 1).

        Raises:
            ValueError: a label has none.
        """
        first, count = self.starts[labels], np.diff(self.starts)[labels]
        if (count == 0).any():
            raise ValueError(f"the data have no example of label {labels[count == 0][0]}")
        chosen = np.minimum((uniform * count).astype(np.int64), count - 1)
        return np.asarray(self.pictures[first + chosen])


def read_examples(folder: Path, labels: Sequence[str], shape: tuple[int, int, int]) -> Examples:
    """Return all labelled pictures of a folder.

    Args:
        labels: those of the model; folders are named after them, IDX files count them.
        shape: height, width and channels of the model's pictures.
    Raises:
        ValueError: what is wrong with which file.
    """
    if not folder.is_dir():
        raise ValueError(f"--data: there is no folder {folder}")
    part = next((p for p in PARTS if any(folder.glob(f"{p}-images-idx3-ubyte*"))), None)
    if part is not None:
        return _of_idx(folder, part, len(labels), shape)
    return _of_folders(folder, labels, shape)


def _of_idx(folder: Path, part: Part, num_labels: int, shape: tuple[int, int, int]) -> Examples:
    data = read_part(folder, part, num_labels)
    stored = (*data.pictures.shape[1:], 1)
    if stored != shape:
        raise ValueError(f"{folder}: {part} pictures are {_size(stored)}, not {_size(shape)}")
    if not len(data.labels):
        raise ValueError(f"{folder}: the {part} part has no pictures")
    return _sorted(data.pictures[..., None], data.labels.astype(np.int64), num_labels, part)


def _of_folders(folder: Path, labels: Sequence[str], shape: tuple[int, int, int]) -> Examples:
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    if not classes:
        raise ValueError(f"{folder}: neither IDX files nor one folder of images a class")
    files = {_label(path, labels): _images(path) for path in classes}
    if len(files) < len(classes):
        raise ValueError(f"{folder}: two folders stand for the same class")
    count = sum(map(len, files.values()))
    if (size := count * int(np.prod(shape))) > MOST_BYTES:
        limit = MOST_BYTES / 2**30
        raise ValueError(
            f"{folder}: {count} pictures take {size / 2**30:.1f} GiB, at most {limit:g}"
        )
    pictures = np.empty((count, *shape), np.uint8)
    paths = [path for images in files.values() for path in images]
    for index, path in enumerate(paths):
        pictures[index] = _picture(path, shape)
    order = [label for label, images in files.items() for _ in images]
    return _sorted(pictures, np.array(order, dtype=np.int64), len(labels), folder.name)


def _label(folder: Path, labels: Sequence[str]) -> int:
    """Return the label a folder is named after: by name, by slug ("t-shirt-top") or by index."""
    name, slugs = folder.name, unique_slugs(labels)
    if name in labels:
        return labels.index(name)
    if name.isascii() and name.isdigit() and int(name) < len(labels):
        return int(name)
    if slug(name) in slugs:
        return slugs.index(slug(name))
    known = ", ".join(labels[:12]) + (", ..." if len(labels) > 12 else "")
    raise ValueError(f"{folder}: no class is called {name!r}; the classes are {known}")


def _images(folder: Path) -> list[Path]:
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not images:
        raise ValueError(f"{folder}: the class has no picture (PNG or JPEG)")
    return images


def _picture(path: Path, shape: tuple[int, int, int]) -> Pictures:
    height, width, channels = shape
    try:
        with Image.open(path) as image:
            size = (image.height, image.width, len(image.getbands()))
            if size[:2] != (height, width) or image.mode not in MODES[channels]:
                raise ValueError(
                    f"{path}: the picture is {_size(size)} ({image.mode}), not {_size(shape)}"
                )
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    return pixels.reshape(shape)


def _size(shape: tuple[int, ...]) -> str:
    kind = {1: "grey", 3: "RGB"}.get(shape[2], f"of {shape[2]} channels")
    return f"{shape[0]} x {shape[1]} {kind}"


def _sorted(pictures: Pictures, labels: NDArray[np.int64], num_labels: int, part: str) -> Examples:
    """Return examples by label; the checksum is that of their values, however they were stored."""
    order = np.argsort(labels, kind="stable")
    pictures, labels = np.ascontiguousarray(pictures[order]), labels[order]
    digest = hashlib.sha256(labels.astype("<i8").tobytes())
    digest.update(pictures.data)
    counts = np.bincount(labels, minlength=num_labels)
    info = DataInfo(
        examples=len(labels),
        per_label=tuple(counts.tolist()),
        checksum=digest.hexdigest()[:16],
        part=part,
    )
    return Examples(pictures, np.concatenate([[0], counts.cumsum()]), info)
