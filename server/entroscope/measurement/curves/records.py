"""What a batch produces, without a run id or a transport: points, previews and one record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entroscope.measurement.curves.moments import Moments
from entroscope.measurement.curves.study_arrays import StudyArrays
from entroscope.protocol.frames import pack_arrays, unpack_arrays

#: A record keeps the values of every trajectory up to this many bytes, else only their sums.
VALUES_LIMIT_BYTES = 8 * 2**20

#: Names in the values of a complement run: those of every trajectory, and its class.
PAIRS, PAIR = "pairs", "pair"
#: What the names of a record's study arrays begin with; no curve's key does.
STUDY = "study/"


@dataclass(frozen=True, slots=True)
class Point:
    """Sums of a batch under way, at one noise level.

    Attributes:
        n: (curves,), trajectories that count for each curve.
        total, square: (curves, quantities), sums and sums of squares.
    """

    batch: int
    step: int
    sigma: float
    n: NDArray[np.int64]
    total: NDArray[np.float64]
    square: NDArray[np.float64]

    def encode(self) -> bytes:
        """Return the point as one frame."""
        header = {"batch": self.batch, "step": self.step, "sigma": self.sigma}
        return pack_arrays(header, {"n": self.n, "total": self.total, "square": self.square})

    @classmethod
    def decode(cls, frame: bytes) -> Self:
        header, arrays = unpack_arrays(frame)
        return cls(
            int(header["batch"]),
            int(header["step"]),
            float(header["sigma"]),
            arrays["n"],
            arrays["total"],
            arrays["square"],
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """Denoised pictures of some samples at one noise level, as one sprite sheet.

    Attributes:
        header: {batch, step, sigma, columns, rows, media_type, samples: [{label, posterior}]};
            posterior is over the run labels.
        image: the encoded picture, 64 KiB at most.
    """

    header: Mapping[str, Any]
    image: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """A moment at which a batch may be left; it says nothing."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that came of one batch; merging the records of a run gives its result.

    Attributes:
        facts: {batch, first, trajectories, evaluations, evaluations_full, seconds, device,
            versions, weights_hash, data, micro_batches}; data is {part, checksum} on data paths.
        moments: sums of every curve, by key.
        labels: (batch,), position of each trajectory's label among the run labels.
        studies: what the batch adds to the studies of the run.
        values: (quantities of SHOWN, steps, batch) float32 of every curve, by key; empty where
            they are larger than VALUES_LIMIT_BYTES. NaN where a trajectory does not count. A
            complement run, where each counts for one class alone, has them once, under PAIRS, and
            the class, (batch,), a position among the run labels, under PAIR.
    """

    facts: Mapping[str, Any]
    moments: Mapping[str, Moments]
    labels: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float32]]
    studies: StudyArrays = field(default_factory=dict)

    @property
    def batch(self) -> int:
        return int(self.facts["batch"])

    def encode(self) -> tuple[bytes, bytes]:
        """Return the sums (small, folded) and the values (kept for later questions) as frames."""
        sums = {
            f"{key}:{name}": array
            for key, moments in self.moments.items()
            for name, array in moments.arrays().items()
        }
        sums |= {f"{STUDY}{name}": array for name, array in self.studies.items()}
        values = {"labels": self.labels.astype(np.int32), **self.values}
        return pack_arrays(self.facts, sums), pack_arrays({"batch": self.batch}, values)


def decode_sums(frame: bytes) -> tuple[dict[str, Any], dict[str, Moments], StudyArrays]:
    """Return facts, moments and studies of a record from the first of its two frames."""
    facts, arrays = unpack_arrays(frame)
    names = [name for name in arrays if name.startswith(STUDY)]
    studies = {name.removeprefix(STUDY): arrays.pop(name) for name in names}
    sums: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        key, _, field = name.rpartition(":")
        sums.setdefault(key, {})[field] = array
    moments = {key: Moments.of_sums(fields) for key, fields in sums.items()}
    return facts, moments, studies


Payload = Point | Preview | Pause | Record
