"""Runs and sweeps as a script sees them: their events, results and figures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from entroscope.client.result import MeasuredRun
from entroscope.client.transport import Transport
from entroscope.measurement.plan.pilot import REFINED_STEPS
from entroscope.protocol.errors import Conflict
from entroscope.protocol.events import LAST, START

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Document = dict[str, Any]


class RunHandle:
    """One run. Iterating over it yields its events from the first one on, live, to its end.

    An event is the document of the wire; a preview has also "image", the JPEG.
    """

    def __init__(self, transport: Transport, id: str) -> None:
        self.id, self._transport = id, transport
        self._path = f"/api/runs/{id}"

    def __iter__(self) -> Iterator[Document]:
        return self.events()

    def events(self, after: str = START) -> Iterator[Document]:
        """Yield the events after one, connecting again wherever the connection breaks."""
        return self._transport.events(self._path, after)

    def document(self) -> Document:
        """Return the run as it stands."""
        return self._transport.call("GET", self._path)

    def wait(self) -> Document:
        """Wait for the run's end and return its last event."""
        for event in self:
            if event["type"] in LAST:
                return event
        return {"type": self.document()["state"]}

    def result(self, pair_prior: float | None = None) -> MeasuredRun:
        """Wait for the run's end and return what it measured.

        Args:
            pair_prior: give only the each-vs-rest curves, at this prior of the class.
        Raises:
            Conflict: the run failed or was cancelled; `partial_result` has its finished batches.
        """
        last = self.wait()
        if last["type"] != "done":
            reason = last.get("reason") or "somebody cancelled it"
            raise Conflict(f"run {self.id} is {last['type']}: {reason}")
        return self.partial_result(pair_prior)

    def partial_result(self, pair_prior: float | None = None) -> MeasuredRun:
        """Return what a finished run measured, be it done, failed or cancelled."""
        query = {} if pair_prior is None else {"pair_prior": pair_prior}
        return MeasuredRun(self._transport.call("GET", f"{self._path}/result", params=query))

    def figure(self, **options: Any) -> "Figure":
        """Wait for the run's end and return its Plotly figure."""
        return self.result().figure(**options)

    def cancel(self) -> Document:
        """Cancel the run and return the receipt."""
        return self._transport.call("POST", f"{self._path}/cancel")

    def extend(self, trajectories: int) -> "RunHandle":
        """Return a new run with more trajectories that reuses the batches of this one."""
        wanted = {"trajectories": trajectories}
        made = self._transport.call("POST", f"{self._path}/extend", json=wanted)
        return RunHandle(self._transport, made["id"])

    def refine(self, steps: int = REFINED_STEPS) -> "RunHandle":
        """Return a new run like this one, its noise levels where this one has seen decisions."""
        made = self._transport.call("POST", f"{self._path}/refine", json={"steps": steps})
        return RunHandle(self._transport, made["id"])

    def delete(self) -> None:
        """Remove the finished run from the server."""
        self._transport.call("DELETE", self._path)


class SweepHandle:
    """Several runs of one request. Iterating yields the events of all, one run after the other.

    Attributes:
        runs: a handle on each, in the order of `vary`.
    """

    def __init__(self, transport: Transport, id: str, runs: list[RunHandle]) -> None:
        self.id, self.runs, self._transport = id, runs, transport
        self._path = f"/api/sweeps/{id}"

    def __iter__(self) -> Iterator[Document]:
        """Yield the events of all runs; `event["run"]` says whose it is. None is missed."""
        for run in self.runs:
            yield from run

    def results(self) -> list[MeasuredRun]:
        """Wait for the end of all runs and return what they measured, in the order of `vary`.

        Raises:
            Conflict: one of them failed or was cancelled.
        """
        return [run.result() for run in self.runs]

    def figure(self, **options: Any) -> "Figure":
        """Wait for the end of all runs and return one Plotly figure of their curves.

        The options are those of `figures.sweep_figure`.
        """
        from entroscope.client.figures import sweep_figure

        results = [result.document for result in self.results()]
        return sweep_figure(results, self.document()["vary"], **options)

    def document(self) -> Document:
        """Return the sweep as it stands."""
        return self._transport.call("GET", self._path)

    def cancel(self) -> list[Document]:
        """Cancel all runs that have not ended and return the receipts."""
        return list(self._transport.call("POST", f"{self._path}/cancel")["receipts"])

    def delete(self) -> None:
        """Remove the sweep and its runs, all of which must have ended."""
        self._transport.call("DELETE", self._path)
