"""Randomness that belongs to the trajectory: the same in whatever batch, device or order."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Largest block of normals drawn ahead, in bytes, over all trajectories.
BLOCK_BYTES = 32 * 2**20
BLOCK_STEPS = 16

#: Kinds of copies of a trajectory; 0 is the trajectory itself.
BRANCHING, SWITCHING, SHOWING = 1, 2, 3


class Noise(Protocol):
    """What the paths of a batch are made from."""

    def uniforms(self, count: int) -> Tensor:
        """Return (trajectories, count) uniforms in [0, 1), float64; drawn before any normals."""
        ...

    def normals(self) -> Tensor:
        """Return the next standard normals, (trajectories, *data)."""
        ...


class TrajectoryNoise:
    """One counter-based stream per trajectory (Philox, key = run seed and trajectory index).

    Streams are made on the processor in float32 whatever the device, so that the same seed means
    the same paths everywhere.

    Attributes:
        trajectories: their numbers in the run.
    """

    def __init__(
        self,
        seed: int,
        trajectories: Sequence[int],
        shape: Sequence[int],
        copies: Sequence[tuple[int, int]] | None = None,
        *,
        draws: int = 0,
        pool: Executor | None = None,
    ) -> None:
        """Open a stream for each trajectory.

        Args:
            shape: of one datum.
            copies: kind and number of each trajectory's copy, for noise of its own.
            draws: how often normals will be asked for, at least.
            pool: draws that many normals ahead, beside whatever the caller does meanwhile; it is
                the caller's to shut down.
        """
        keys = [np.array([seed, index], dtype=np.uint64) for index in trajectories]
        counters = copies or [(0, 0)] * len(keys)
        # A stream counts up from 0 in the low words; the high ones keep the copies apart.
        self._streams = [
            np.random.Generator(np.random.Philox(key=key, counter=[0, 0, number, kind]))
            for key, (kind, number) in zip(keys, counters, strict=True)
        ]
        self.trajectories, self._shape = trajectories, tuple(shape)
        self._size = math.prod(self._shape)
        ahead = BLOCK_BYTES // (4 * self._size * max(1, len(keys)))
        self._most = max(1, min(BLOCK_STEPS, ahead))
        self._block: NDArray[np.float32] = np.empty((len(keys), 0, self._size), np.float32)
        self._next, self._left = 0, draws
        self._pool = pool
        self._coming: Future[NDArray[np.float32]] | None = None

    def uniforms(self, count: int) -> Tensor:
        """Return (trajectories, count) uniforms in [0, 1), float64."""
        return torch.from_numpy(np.stack([stream.random(count) for stream in self._streams]))

    def normals(self) -> Tensor:
        """Return the next standard normals, (trajectories, *shape), float32."""
        if self._next == self._block.shape[1]:
            coming = self._coming
            self._block = coming.result() if coming else self._drawn(self._count())
            self._next, self._left = 0, self._left - self._block.shape[1]
            if self._pool is not None:
                more = self._left > 0
                self._coming = self._pool.submit(self._drawn, self._count()) if more else None
        self._next += 1
        normals = torch.from_numpy(self._block[:, self._next - 1])
        return normals.reshape(-1, *self._shape)

    def _count(self) -> int:
        return min(self._most, self._left) if self._left > 0 else self._most

    def _drawn(self, count: int) -> NDArray[np.float32]:
        """Return (trajectories, count, size) standard normals."""
        shape = (count, self._size)
        return np.stack([stream.standard_normal(shape, np.float32) for stream in self._streams])
