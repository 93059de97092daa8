"""Randomness that belongs to the trajectory: the same in whatever batch, device or order."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

#: Largest block of normals drawn ahead, in bytes, over all trajectories.
BLOCK_BYTES = 32 * 2**20
BLOCK_STEPS = 16

#: Kinds of copies of a trajectory; 0 is the trajectory itself.
BRANCHING, SWITCHING, SHOWING = 1, 2, 3


class TrajectoryNoise:
    """One counter-based stream per trajectory (Philox, key = run seed and trajectory index).

    Streams are made on the processor in float32 whatever the device, so that the same seed means
    the same paths everywhere.
    """

    def __init__(
        self,
        seed: int,
        trajectories: Sequence[int],
        size: int,
        copies: Sequence[tuple[int, int]] | None = None,
        *,
        draws: int = 0,
    ) -> None:
        """Open a stream for each trajectory.

        Args:
            copies: kind and number of each trajectory's copy, for noise of its own.
            draws: how often normals will be asked for, at least: these are drawn ahead, beside
                whatever the caller does meanwhile.
        """
        keys = [np.array([seed, index], dtype=np.uint64) for index in trajectories]
        apart = copies or [(0, 0)] * len(keys)
        # A stream counts up from 0 in the low words; the high ones keep the copies apart.
        self._streams = [
            np.random.Generator(np.random.Philox(key=key, counter=[0, 0, number, kind]))
            for key, (kind, number) in zip(keys, apart, strict=True)
        ]
        self._size = size
        ahead = BLOCK_BYTES // (4 * size * max(1, len(keys)))
        self._most = max(1, min(BLOCK_STEPS, ahead))
        self._block: NDArray[np.float32] = np.empty((len(keys), 0, size), np.float32)
        self._next, self._left = 0, draws
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="noise") if draws else None
        self._coming: Future[NDArray[np.float32]] | None = None

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """Return (trajectories, count) uniforms in [0, 1); to be drawn before any normals."""
        return np.stack([stream.random(count) for stream in self._streams])

    def normals(self) -> NDArray[np.float32]:
        """Return the next (trajectories, size) standard normals."""
        if self._next == self._block.shape[1]:
            coming = self._coming
            self._block = coming.result() if coming else self._drawn(self._count())
            self._next, self._left = 0, self._left - self._block.shape[1]
            if self._pool is not None:
                more = self._left > 0
                self._coming = self._pool.submit(self._drawn, self._count()) if more else None
        self._next += 1
        return self._block[:, self._next - 1]

    def _count(self) -> int:
        return min(self._most, self._left) if self._left > 0 else self._most

    def _drawn(self, count: int) -> NDArray[np.float32]:
        """Return (trajectories, count, size) standard normals."""
        shape = (count, self._size)
        return np.stack([stream.standard_normal(shape, np.float32) for stream in self._streams])
