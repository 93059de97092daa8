"""What batches publish of their studies, and how it is merged."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Arrays by name. One whose name ends with ROWS has a row for each of some trajectories of its
#: batch, which are put below one another; the others are sums, which are added.
StudyArrays = Mapping[str, NDArray[Any]]
ROWS = "[]"


def merged_arrays(batches: Iterable[StudyArrays]) -> dict[str, NDArray[Any]]:
    """Return the arrays of all batches as those of one, in the order given."""
    parts: dict[str, list[NDArray[Any]]] = {}
    for batch in batches:
        for name, array in batch.items():
            parts.setdefault(name, []).append(array)
    return {
        name: np.concatenate(arrays) if name.endswith(ROWS) else np.sum(arrays, axis=0)
        for name, arrays in parts.items()
    }
