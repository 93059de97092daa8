"""The Python client: make runs, watch them live, take their results.

from entroscope import Client
run = Client().run({"model": "gaussian-mixture"})
for event in run:
    print(event["type"])
print(run.result().frame())
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from entroscope.client.handles import SweepHandle
from entroscope.client.result import MeasuredRun
from entroscope.measurement.plan.pilot import REFINED_STEPS
from entroscope.protocol.errors import Conflict, EntroscopeError, NotFound, SpecError, Unavailable
from entroscope.protocol.events import LAST, START
from entroscope.protocol.frames import unpack
from entroscope.protocol.spec import Spec

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DEFAULT_URL = "http://127.0.0.1:8000"
#: Pauses between attempts to reach a server that is away.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
#: Close codes that no further attempt would change.
FATAL = {4400: Conflict, 4403: Conflict, 4404: NotFound}

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
        self.url, self.patience_s = url.rstrip("/"), patience_s
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.url, headers=self.headers, timeout=60.0)

    def run(self, spec: Spec | Mapping[str, Any], *, reuse: bool = False) -> "RunHandle":
        """Queue a run and return a handle on it; with `reuse` an equal finished run will do."""
        document = spec.document() if isinstance(spec, Spec) else dict(spec)
        query = {"reuse": "1"} if reuse else {}
        made = self.call("POST", "/api/runs", json=document, params=query)
        return RunHandle(self, made["id"])

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
        made = self.call("POST", "/api/sweeps", json=document)
        runs = [RunHandle(self, run["id"]) for run in made["runs"]]
        return SweepHandle(self, made["id"], runs)

    def attach(self, run: str) -> "RunHandle":
        """Return a handle on a run that is there already."""
        return RunHandle(self, str(self.call("GET", f"/api/runs/{run}")["id"]))

    def plan(self, spec: Mapping[str, Any]) -> Document:
        """Return what a run would be and cost, without making it."""
        return self.call("POST", "/api/runs/plan", json=dict(spec))

    def compare(self, run: "RunHandle | str", base: "RunHandle | str") -> Document:
        """Return what a finished run has more than another that shares its trajectories.

        Raises:
            SpecError: the field in which they differ and may not.
            Conflict: one is not done, or its values per trajectory were too large to be kept.
        """
        ids = {"run": run, "base": base}
        query = {name: r.id if isinstance(r, RunHandle) else r for name, r in ids.items()}
        return self.call("GET", "/api/comparisons", params=query)

    def models(self) -> list[Document]:
        """Return the models that workers have announced."""
        return list(self.call("GET", "/api/models")["models"])

    def workers(self) -> list[Document]:
        """Return the workers alive."""
        return list(self.call("GET", "/api/workers")["workers"])

    def runs(self, **filters: Any) -> Iterator[Document]:
        """Yield all runs, newest first; filters are `model`, `state` and `parent`."""
        page: Document = {"next": None}
        while True:
            before = {"before": page["next"]} if page["next"] else {}
            page = self.call("GET", "/api/runs", params={**filters, **before})
            yield from page["runs"]
            if page["next"] is None:
                return

    def call(self, method: str, path: str, **options: Any) -> Document:
        """Return the answer to one request as a document; {} where it has none.

        Raises:
            EntroscopeError: what the server said was wrong, or that it cannot be reached.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unavailable(f"no answer from {self.url}: {error}") from None
        if response.is_error:
            raise _error(response)
        return dict(response.json()) if response.content else {}

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RunHandle:
    """One run. Iterating over it yields its events from the first one on, live, to its end.

    An event is the document of the wire; a preview has also "image", the JPEG.
    """

    def __init__(self, client: Client, id: str) -> None:
        self.id, self._client = id, client
        self._path = f"/api/runs/{id}"

    def __iter__(self) -> Iterator[Document]:
        return self.events()

    def events(self, after: str = START) -> Iterator[Document]:
        """Yield the events after one, connecting again wherever the connection breaks."""
        deadline, pause_s = time.monotonic() + self._client.patience_s, FIRST_PAUSE_S
        while True:
            try:
                for event in self._connected(after):
                    after, pause_s = event["id"], FIRST_PAUSE_S
                    deadline = time.monotonic() + self._client.patience_s
                    yield event
                    if event["type"] in LAST:
                        return
                return
            except (ConnectionClosed, InvalidHandshake, OSError) as error:
                _check_fatal(error)
                if time.monotonic() > deadline:
                    raise Unavailable(f"lost {self._client.url}: {error}") from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def document(self) -> Document:
        """Return the run as it stands."""
        return self._client.call("GET", self._path)

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
        return MeasuredRun(self._client.call("GET", f"{self._path}/result", params=query))

    def figure(self, **options: Any) -> "Figure":
        """Wait for the run's end and return its Plotly figure."""
        return self.result().figure(**options)

    def cancel(self) -> Document:
        """Cancel the run and return the receipt."""
        return self._client.call("POST", f"{self._path}/cancel")

    def extend(self, trajectories: int) -> "RunHandle":
        """Return a new run with more trajectories that reuses the batches of this one."""
        wanted = {"trajectories": trajectories}
        made = self._client.call("POST", f"{self._path}/extend", json=wanted)
        return RunHandle(self._client, made["id"])

    def refine(self, steps: int = REFINED_STEPS) -> "RunHandle":
        """Return a new run like this one, its noise levels where this one has seen decisions."""
        made = self._client.call("POST", f"{self._path}/refine", json={"steps": steps})
        return RunHandle(self._client, made["id"])

    def delete(self) -> None:
        """Remove the finished run from the server."""
        self._client.call("DELETE", self._path)

    def _connected(self, after: str) -> Iterator[Document]:
        """Yield events from one connection until the server closes it in peace."""
        url = f"ws{self._client.url.removeprefix('http')}{self._path}/events?after={after}"
        headers = self._client.headers
        with connect(url, additional_headers=headers, compression=None, max_size=None) as socket:
            for message in socket:
                yield _event(message)


def _event(message: str | bytes) -> Document:
    if isinstance(message, str):
        return dict(json.loads(message))
    header, image = unpack(message)
    return {"type": "preview", **header, "image": image}


def _check_fatal(error: Exception) -> None:
    """Raise what trying again would not change."""
    if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in FATAL:
        raise FATAL[error.rcvd.code](error.rcvd.reason) from None


def _error(response: httpx.Response) -> EntroscopeError:
    """Return a problem document as the error it stands for."""
    try:
        found = response.json()
        errors, detail = found.get("errors") or [], str(found["detail"])
    except (ValueError, KeyError, AttributeError):
        errors, detail = [], f"{response.status_code} {response.reason_phrase}"
    if errors:
        return SpecError(errors[0]["field"], errors[0]["value"], errors[0]["message"])
    kinds = {
        HTTPStatus.NOT_FOUND: NotFound,
        HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    }
    return kinds.get(HTTPStatus(response.status_code), Conflict)(detail)
