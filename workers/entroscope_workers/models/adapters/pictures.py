"""Small pictures of data that are none: points on a line or plane, and fields of numbers."""

import numpy as np
from numpy.typing import NDArray

SIZE = 48
PAPER, INK, FAINT = (250, 250, 248), (196, 58, 49), (150, 156, 165)

Pixels = NDArray[np.uint8]


def draw_points(x: NDArray[np.float64], means: NDArray[np.float64], std: float) -> Pixels:
    """Return each datum of (batch, 1 or 2) as a dot among the faint circles of the components."""
    low, high = means.min(0) - 4 * std, means.max(0) + 4 * std
    middle, span = (low + high) / 2, float((high - low).max())
    places = np.clip((x - middle) / span + 0.5, 0.02, 0.98)
    centres = (means - middle) / span + 0.5
    base = np.full((SIZE, SIZE, 3), PAPER, np.uint8)
    for centre in centres:
        _disc(base, centre, max(1.5, 2 * std / span * SIZE), FAINT)
    pictures = np.repeat(base[None], len(x), 0)
    for picture, point in zip(pictures, places, strict=True):
        _disc(picture, point, 3.0, INK)
    return pictures


def _disc(
    picture: Pixels, point: NDArray[np.float64], radius: float, colour: tuple[int, ...]
) -> None:
    column = point[0] * SIZE
    row = (1 - point[1]) * SIZE if len(point) > 1 else SIZE / 2
    rows, columns = np.mgrid[:SIZE, :SIZE] + 0.5
    picture[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = colour


def draw_field(x: NDArray[np.float64], largest: float) -> Pixels:
    """Return each datum of (batch, dim) as a square of grey cells, -largest black, +largest white.

    At most 32 x 32 coordinates are shown: a picture is a glimpse, not the data.
    """
    side = min(32, int(np.ceil(np.sqrt(x.shape[1]))))
    shown = x[:, : side * side]
    cells = np.zeros((len(x), side * side))
    cells[:, : shown.shape[1]] = np.clip(shown / largest, -1, 1)
    grey = (127.5 * (1 + cells)).astype(np.uint8).reshape(-1, side, side)
    scale = max(1, SIZE // side)
    large = grey.repeat(scale, 1).repeat(scale, 2)
    return np.repeat(large[..., None], 3, 3)
