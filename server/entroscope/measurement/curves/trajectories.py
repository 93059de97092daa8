"""The values of every trajectory of a run, side by side, from the records of its batches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.records import VALUES_LIMIT_BYTES
from entroscope.protocol.errors import Conflict
from entroscope.protocol.frames import unpack_arrays
from entroscope.protocol.quantities import BY_NAME


@dataclass(frozen=True, slots=True)
class Trajectories:
    """What a run keeps of its trajectories, in the order of their seeds.

    Attributes:
        labels: (n,), position of each trajectory's label among the run labels.
        values: (quantities of SHOWN, steps, n) of every curve, by key, in bits; NaN where a
            trajectory does not count for the curve.
    """

    labels: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float32]]

    @classmethod
    def of(cls, batches: Iterable[Mapping[str, NDArray[Any]]]) -> Self:
        """Join batches, each {"labels": (batch,), KEY: (quantities, steps, batch), ...}.

        Raises:
            Conflict: a batch had more values than are kept.
        """
        parts = list(batches)
        keys = [key for key in parts[0] if key != "labels"]
        if not keys or any(key not in part for part in parts for key in keys):
            raise Conflict(
                f"no values of its trajectories are kept: a batch has more than "
                f"{VALUES_LIMIT_BYTES // 2**20} MiB of them; run it with fewer curves or steps, or "
                f"with smaller batches (batch_sizes.largest)"
            )
        labels = np.concatenate([part["labels"] for part in parts]).astype(np.int64)
        joined = {key: np.concatenate([part[key] for part in parts], axis=-1) for key in keys}
        return cls(labels, joined)

    @classmethod
    def decode(cls, frames: Mapping[int, tuple[bytes, bytes]]) -> Self:
        """Return the trajectories of a run from the frames of its batches (Record.encode)."""
        return cls.of(unpack_arrays(frames[batch][1])[1] for batch in sorted(frames))

    @property
    def count(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> Self:
        """Return the first so many trajectories."""
        values = {key: array[..., :count] for key, array in self.values.items()}
        return type(self)(self.labels[:count], values)

    def of_quantity(self, key: str, quantity: str) -> NDArray[np.float64]:
        """Return (steps, n) of a curve and one of SHOWN, by its name."""
        values: NDArray[np.float64] = self.values[key][BY_NAME[quantity].row].astype(np.float64)
        return values
