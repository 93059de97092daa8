"""The Python client: make runs, watch them live, take their results.

from entroscope import Client
run = Client().run({"model": "gaussian-mixture"})
for event in run:
    print(event["type"])
print(run.result().frame())
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from entroscope.client.handles import RunHandle, SweepHandle
from entroscope.client.transport import Transport
from entroscope.protocol.spec import Spec

DEFAULT_URL = "http://127.0.0.1:8000"

Document = dict[str, Any]


class Client:
    """A server, seen from a script.

    Args:
        token: what the server printed at its start, where it wants one.
        patience_s: how long to go on trying when the server cannot be reached.
    """

    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, *, patience_s: float = 60.0
    ) -> None:
        self._transport = Transport(url, token, patience_s)

    @property
    def url(self) -> str:
        """Where the server is, without a slash at the end."""
        return self._transport.url

    def run(self, spec: Spec | Mapping[str, Any], *, reuse: bool = False) -> RunHandle:
        """Queue a run and return a handle on it; with `reuse` an equal finished run will do."""
        document = spec.document() if isinstance(spec, Spec) else dict(spec)
        query = {"reuse": "1"} if reuse else {}
        made = self._transport.call("POST", "/api/runs", json=document, params=query)
        return RunHandle(self._transport, made["id"])

    def sweep(
        self,
        spec: Spec | Mapping[str, Any],
        vary: Sequence[Mapping[str, Any]],
        *,
        title: str | None = None,
    ) -> SweepHandle:
        """Queue one run for each merge patch of `vary` (RFC 7396) and return a handle on all."""
        shared = spec.document() if isinstance(spec, Spec) else dict(spec)
        document = {"spec": shared, "vary": [dict(patch) for patch in vary], "title": title}
        made = self._transport.call("POST", "/api/sweeps", json=document)
        runs = [RunHandle(self._transport, run["id"]) for run in made["runs"]]
        return SweepHandle(self._transport, made["id"], runs)

    def attach(self, run: str) -> RunHandle:
        """Return a handle on a run that is there already."""
        return RunHandle(
            self._transport, str(self._transport.call("GET", f"/api/runs/{run}")["id"])
        )

    def plan(self, spec: Mapping[str, Any]) -> Document:
        """Return what a run would be and cost, without making it."""
        return self._transport.call("POST", "/api/runs/plan", json=dict(spec))

    def compare(self, run: RunHandle | str, base: RunHandle | str) -> Document:
        """Return what a finished run has more than another that shares its trajectories.

        Raises:
            SpecError: the field in which they differ and may not.
            Conflict: one is not done, or its values per trajectory were too large to be kept.
        """
        ids = {"run": run, "base": base}
        query = {name: r.id if isinstance(r, RunHandle) else r for name, r in ids.items()}
        return self._transport.call("GET", "/api/comparisons", params=query)

    def models(self) -> list[Document]:
        """Return the models that workers have announced."""
        return list(self._transport.call("GET", "/api/models")["models"])

    def workers(self) -> list[Document]:
        """Return the workers alive."""
        return list(self._transport.call("GET", "/api/workers")["workers"])

    def runs(self, **filters: Any) -> Iterator[Document]:
        """Yield all runs, newest first; filters are `model`, `state` and `parent`."""
        page: Document = {"next": None}
        while True:
            before = {"before": page["next"]} if page["next"] else {}
            page = self._transport.call("GET", "/api/runs", params={**filters, **before})
            yield from page["runs"]
            if page["next"] is None:
                return

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
