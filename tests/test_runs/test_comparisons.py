"""Two runs compared over HTTP and by the client."""

from collections.abc import Iterator

import numpy as np
import pytest
from fakes import INFO
from live import Document, Live, live_server
from puppet import Puppet

from entroscope import Client
from entroscope.broker.connect import connect
from entroscope.protocol.errors import Conflict, NotFound, SpecError

BASE: Document = {
    "model": "fake",
    "trajectories": 12,
    "schedule": {"steps": 4},
    "partitions": {"classes": None, "rest": "each-vs-rest"},
}
GUIDED: Document = BASE | {"guidance": {"scale": 2, "interval": [0.1, 70]}}


@pytest.fixture
def puppet(redis_url: str) -> Iterator[Puppet]:
    """A worker whose model has an unconditional branch."""
    offer = INFO.model_copy(update={"unconditional": True})
    with connect(redis_url) as redis:
        yield Puppet(redis, offer).announce()


def finished(live: Live, puppet: Puppet, document: Document) -> str:
    run = str(live.make(document)["id"])
    puppet.finish(run)
    return run


def test_a_comparison_is_the_difference_of_the_two_results(
    live: Live, puppet: Puppet, client: Client
) -> None:
    run, base = (finished(live, puppet, d | {"seed": 1}) for d in (GUIDED, BASE))
    other = finished(live, puppet, BASE | {"seed": 1, "previews": None})
    found = client.compare(client.attach(run), base)
    assert (found["run"], found["base"], found["trajectories"]) == (run, base, 12)
    assert found["guidance"]["base"] is None and found["guidance"]["run"]["scale"] == 2
    assert set(found["redistributions"]) == {"classes", "rest"}
    results = [live.http.get(f"/api/runs/{one}/result").json()["curves"] for one in (run, base)]
    for key, curve in found["curves"].items():
        one, two = (np.array(result[key]["production"]) for result in results)
        np.testing.assert_allclose(curve["production"], one - two, atol=1e-6)
    assert client.compare(base, other)["curves"]["classes"]["entropy"] == [0.0] * 4


def test_runs_that_cannot_be_compared_are_refused_with_the_reason(
    live: Live, puppet: Puppet, client: Client
) -> None:
    run, base = (finished(live, puppet, document) for document in (GUIDED, BASE))
    other = finished(live, puppet, BASE | {"seed": 3})
    with pytest.raises(SpecError, match="must be the same in both runs") as caught:
        client.compare(run, other)
    assert (caught.value.field, caught.value.value) == ("seed", 3)
    with pytest.raises(NotFound):
        client.compare(run, "0" * 32)
    with pytest.raises(NotFound):
        client.compare("nonsense", base)
    waiting = client.run(GUIDED | {"seed": 4})
    with pytest.raises(Conflict, match="is queued"):
        client.compare(waiting, base)
    waiting.cancel()
    with pytest.raises(Conflict, match="cancelled; only runs that are done"):
        client.compare(waiting, base)


def test_a_question_without_a_base_names_what_is_missing(live: Live) -> None:
    answer = live.http.get("/api/comparisons", params={"run": "0" * 32})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["base"]


def test_the_comparison_outlasts_the_server(redis_url: str, puppet: Puppet, live: Live) -> None:
    run, base = (finished(live, puppet, document) for document in (GUIDED, BASE))
    query = {"run": run, "base": base}
    before = live.http.get("/api/comparisons", params=query).json()
    live.app.state.services.redis.flushall()
    with live_server(redis_url, live.settings.data_dir.parent / "other") as empty:
        assert empty.http.get("/api/comparisons", params=query).status_code == 404
    assert live.http.get("/api/comparisons", params=query).json() == before
