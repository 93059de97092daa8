"""From the log of a run to the events its viewers see; the same for live and archived runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from entroscope.broker.event_log import Entry
from entroscope.measurement.curves.fold import Fold
from entroscope.measurement.curves.records import Point, decode_sums
from entroscope.measurement.curves.result import curve_document, curve_window
from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.events import LAST
from entroscope.protocol.frames import finite, pack, unpack

#: Entries that viewers get as they are; other types, of later versions, are passed over.
STATES = LAST | {"queued", "started", "checks"}
#: The windows of a batch event are computed anew when there are this many times more batches.
WINDOW_GROWTH = 17 / 16
#: Batch events of runs with more labels come without profiles and calibration, which the
#: result has.
MAX_PROFILES = 32


@dataclass(frozen=True, slots=True)
class Frame:
    """One public event, encoded once for all viewers.

    Attributes:
        text: the event as JSON.
        binary: what a WebSocket gets instead of the text: a picture.
        key: a newer frame with the same key says all that this one says, and more.
    """

    id: str
    type: str
    text: str
    binary: bytes | None = None
    key: tuple[str, int] | None = None

    @property
    def last(self) -> bool:
        return self.type in LAST


def event_frame(event: Mapping[str, Any], image: bytes | None = None) -> Frame:
    """Return the frame of one public event."""
    text = json.dumps(event, separators=(",", ":"), allow_nan=False)
    key = (event["type"], int(event["step"])) if event["type"] in ("point", "preview") else None
    binary = None if image is None else pack(_picture_header(event), image)
    return Frame(event["id"], event["type"], text, binary, key)


def _picture_header(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("url", "type", "schema")}


class Projection:
    """Folds the entries of one log, in order, and says what each means to a viewer.

    Other threads than the one that applies may read these:

    Attributes:
        trajectories: those of finished batches.
        fraction: how much of the whole run is evaluated, batches under way included.
        speed: evaluations a second of one worker on this run, or None before its first batch.
        final: whether the last event has been seen.
        checks: of the whole run, where it came to its good end.
    """

    def __init__(self, run: str, plan: Plan) -> None:
        self.run, self.plan, self.fold = run, plan, Fold(plan)
        self.trajectories, self.fraction, self.final = 0, 0.0, False
        self.speed: float | None = None
        self.checks: list[dict[str, Any]] | None = None
        self._steps: dict[int, int] = {}
        self._windows: list[dict[str, Any]] = []
        self._windows_of = 0

    def apply(self, entry: Entry) -> Frame | None:
        """Take one entry; return its event, or None where it says nothing new.

        Raises:
            ValueError, KeyError, TypeError, IndexError: the entry is not one of this version.
        """
        handlers: dict[str, Callable[[Entry], Frame | None]] = {
            "point": self._point,
            "preview": self._preview,
            "batch": self._batch,
            **dict.fromkeys(STATES, self._state),
        }
        if self.final or entry.type not in handlers:
            return None
        frame = handlers[entry.type](entry)
        self._take_stock()
        self.final = entry.type in LAST
        return frame

    def _take_stock(self) -> None:
        sizes = [size for _, size in self.plan.batches]
        steps = len(self.plan.sigmas)
        under_way = sum(sizes[b] * (step + 1) / steps for b, step in self._steps.items())
        facts = self.fold.facts.values()
        seconds = sum(float(fact["seconds"]) for fact in facts)
        evaluations = sum(int(fact["evaluations_full"]) for fact in facts)
        self.trajectories = self.fold.trajectories
        self.fraction = min(1.0, (self.trajectories + under_way) / self.plan.spec.trajectories)
        self.speed = evaluations / seconds if seconds > 0 else None

    def _event(self, entry: Entry, content: Mapping[str, Any], image: bytes | None = None) -> Frame:
        common = {"schema": 1, "id": entry.id, "run": self.run, "type": entry.type}
        return event_frame(common | finite(content), image)

    def _state(self, entry: Entry) -> Frame:
        if entry.type == "checks":
            self.checks = entry.document["checks"]
        if entry.type == "done":
            self.fold.keep(int(entry.document["batches"]))
        return self._event(entry, entry.document)

    def _point(self, entry: Entry) -> Frame | None:
        point = Point.decode(entry.data)
        if point.batch in self.fold.facts:
            return None  # of a worker that was given up and came too late
        self.fold.add_point(point)
        self._steps[point.batch] = point.step
        return self._event(
            entry,
            {
                "batch": point.batch,
                "step": point.step,
                "sigma": point.sigma,
                "curves": self.fold.curves_at(point.step),
            },
        )

    def _preview(self, entry: Entry) -> Frame:
        header, image = unpack(entry.data)
        step = int(header["step"])
        url = f"/api/runs/{self.run}/previews/{step}"
        return self._event(entry, {**header, "url": url}, image)

    def _batch(self, entry: Entry) -> Frame | None:
        facts, moments, studies = decode_sums(entry.data)
        if not self.fold.add_record(facts, moments, studies):
            return None
        self._steps.pop(int(facts["batch"]), None)
        return self._event(
            entry,
            {
                "batch": int(facts["batch"]),
                "trajectories": self.fold.trajectories,
                "evaluations": sum(int(f["evaluations"]) for f in self.fold.facts.values()),
                "sigma": self.plan.sigmas,
                "curves": self._curves(),
                "windows": self._current_windows(),
            },
        )

    def _curves(self) -> dict[str, Any]:
        merged = self.fold.merged()
        curves = {c.key: curve_document(self.plan, c, merged[c.key]) for c in self.plan.curves}
        if len(self.plan.columns) > MAX_PROFILES:
            return {
                key: {**curve, "profiles": [], "calibration": None} for key, curve in curves.items()
            }
        return curves

    def _current_windows(self) -> list[dict[str, Any]]:
        """Return the windows; their jackknife is linear in the batches, so not every time anew."""
        if len(self.fold.moments) >= self._windows_of * WINDOW_GROWTH:
            self._windows_of = len(self.fold.moments)
            self._windows = [curve_window(self.fold, curve) for curve in self.plan.curves]
        return self._windows
