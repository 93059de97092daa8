"""Sprite sheets: the denoised pictures of some samples at one noise level, as one JPEG."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LIMIT_BYTES = 64 * 1024
#: Most previews in a batch: a finer grid shows every second, fourth, ... step.
MAX_STEPS = 64
#: Most labels whose whole posterior is sent with each sample.
MAX_POSTERIOR = 64


def preview_steps(steps: int) -> frozenset[int]:
    """Return the steps that get a preview: evenly spread, first and last among them."""
    count = min(steps, MAX_STEPS)
    return frozenset(round(i * (steps - 1) / max(1, count - 1)) for i in range(count))


def grid(samples: int) -> tuple[int, int]:
    """Return columns and rows of a sheet: the flattest rectangle that is no emptier than needed."""
    columns = math.ceil(math.sqrt(samples))
    return columns, math.ceil(samples / columns)


def sprite_sheet(pictures: NDArray[np.uint8]) -> bytes:
    """Return (samples, height, width, 3) pictures as one JPEG of at most LIMIT_BYTES."""
    samples, height, width, _ = pictures.shape
    columns, rows = grid(samples)
    sheet = np.zeros((rows * columns, height, width, 3), np.uint8)
    sheet[:samples] = pictures
    sheet = sheet.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    image = Image.fromarray(sheet.reshape(rows * height, columns * width, 3))
    for quality in (90, 80, 65, 50, 35, 20):
        encoded = _jpeg(image, quality)
        if len(encoded) <= LIMIT_BYTES:
            return encoded
    while len(encoded) > LIMIT_BYTES:
        image = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
        encoded = _jpeg(image, 50)
    return encoded


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
