"""A sweep as a script sees it: its runs' events, results and one figure of all."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from entroscope.client.result import MeasuredRun

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from entroscope.client.client import Client, RunHandle

Document = dict[str, Any]


class SweepHandle:
    """Several runs of one request. Iterating yields the events of all, one run after the other.

    Attributes:
        runs: a handle on each, in the order of `vary`.
    """

    def __init__(self, client: "Client", id: str, runs: "list[RunHandle]") -> None:
        self.id, self.runs, self._client = id, runs, client
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
        return self._client.call("GET", self._path)

    def cancel(self) -> list[Document]:
        """Cancel all runs that have not ended and return the receipts."""
        return list(self._client.call("POST", f"{self._path}/cancel")["receipts"])

    def delete(self) -> None:
        """Remove the sweep and its runs, all of which must have ended."""
        self._client.call("DELETE", self._path)
