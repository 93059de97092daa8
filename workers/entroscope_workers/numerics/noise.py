"""Randomness that belongs to the trajectory: the same in whatever batch, device or order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Largest block of normals drawn ahead, in bytes, over all trajectories of a batch.
BLOCK_BYTES = 64 * 2**20


class TrajectoryNoise:
    """One counter-based stream per trajectory (Philox, key = run seed and trajectory index)."""

    def __init__(self, seed: int, trajectories: Sequence[int], size: int, dtype: type) -> None:
        keys = [np.array([seed, index], dtype=np.uint64) for index in trajectories]
        self._streams = [np.random.Generator(np.random.Philox(key=key)) for key in keys]
        self._size, self._dtype = size, np.dtype(dtype)
        per_step = max(1, len(keys) * size * self._dtype.itemsize)
        self._block_steps = max(1, min(64, BLOCK_BYTES // per_step))
        self._block: NDArray[np.floating] = np.empty((len(keys), 0, size), self._dtype)
        self._next = 0

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """Return (trajectories, count) uniforms in [0, 1); to be drawn before any normals."""
        return np.stack([stream.random(count) for stream in self._streams])

    def normals(self) -> NDArray[np.floating]:
        """Return the next (trajectories, size) standard normals."""
        if self._next == self._block.shape[1]:
            shape = (self._block_steps, self._size)
            draws = [stream.standard_normal(shape, self._dtype) for stream in self._streams]
            self._block, self._next = np.stack(draws), 0
        self._next += 1
        return self._block[:, self._next - 1]
