"""The files of an archived run.

run.json      what GET /api/runs/<id> answers, and the model it ran on
result.json   the result, where a batch was finished
values.npz    float32 per trajectory: "values/KEY", (quantities, steps, trajectories), with
              "trajectory", which of the run's they are; "labels" of all trajectories. A
              complement run has "values/pairs" and "values/pair", the class of each, instead
sums.bin      the sums of every batch: frames, each behind its length
events.jsonl  the public events, with the last point of each noise level
previews/     the picture of each step
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.frames import pack_arrays, unpack, unpack_arrays
from entroscope.streaming.projection import Frame

PREFIX = "values/"


@dataclass(frozen=True, slots=True)
class Finished:
    """All that is kept of a run.

    Attributes:
        document: the run's document, and "info", the model.
        frames: sums and values of every batch, as in Record.encode().
    """

    document: Mapping[str, Any]
    result: Mapping[str, Any] | None
    events: Iterable[Frame]
    frames: Mapping[int, tuple[bytes, bytes]]


def files_of(finished: Finished) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a run."""
    events = kept_events(finished.events)
    yield "run.json", _json(finished.document)
    if finished.result is not None:
        yield "result.json", _json(finished.result)
    if finished.frames:
        frames = [finished.frames[batch] for batch in sorted(finished.frames)]
        yield "sums.bin", b"".join(struct.pack("<I", len(sums)) + sums for sums, _ in frames)
        yield "values.npz", _values_file(frames)
    yield "events.jsonl", b"".join(frame.text.encode() + b"\n" for frame in events)
    for frame in events:
        if frame.binary is not None and frame.key is not None:
            yield f"previews/{frame.key[1]}.jpg", unpack(frame.binary)[1]


def kept_events(events: Iterable[Frame]) -> list[Frame]:
    """Return the events without those that a newer one replaces."""
    frames = list(events)
    newest = {frame.key: index for index, frame in enumerate(frames) if frame.key is not None}
    return [f for index, f in enumerate(frames) if f.key is None or newest[f.key] == index]


def frames_of(sums_file: bytes, values_file: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Return sums and values of every batch from the two files that hold them."""
    with np.load(BytesIO(values_file), allow_pickle=False) as arrays:
        columns = {n.removeprefix(PREFIX): arrays[n] for n in arrays.files if n.startswith(PREFIX)}
        labels, kept = arrays["labels"], arrays["trajectory"]
    frames, start = {}, 0
    for sums in _split(sums_file):
        facts, _ = unpack(sums)
        first, size = int(facts["first"]), int(facts["trajectories"])
        values: dict[str, NDArray[Any]] = {"labels": labels[start : start + size]}
        kept_here = np.flatnonzero((kept >= first) & (kept < first + size))
        if len(kept_here):
            values |= {key: array[..., kept_here] for key, array in columns.items()}
        frames[int(facts["batch"])] = sums, pack_arrays({"batch": facts["batch"]}, values)
        start += size
    return frames


def _values_file(frames: list[tuple[bytes, bytes]]) -> bytes:
    """Return the values of all batches side by side, as an npz file."""
    labels: list[NDArray[Any]] = []
    kept: list[NDArray[np.int64]] = []
    parts: dict[str, list[NDArray[Any]]] = {}
    for sums, values_frame in frames:
        facts, _ = unpack(sums)
        _, values = unpack_arrays(values_frame)
        labels.append(values.pop("labels"))
        size = int(facts["trajectories"]) if values else 0
        kept.append(int(facts["first"]) + np.arange(size))
        for key, array in values.items():
            parts.setdefault(f"{PREFIX}{key}", []).append(array)
    file = BytesIO()
    columns: dict[str, Any] = {k: np.concatenate(arrays, axis=-1) for k, arrays in parts.items()}
    columns |= {"labels": np.concatenate(labels), "trajectory": np.concatenate(kept)}
    np.savez_compressed(file, **columns)
    return file.getvalue()


def _split(file: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(file):
        (length,) = struct.unpack_from("<I", file, offset)
        yield file[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
