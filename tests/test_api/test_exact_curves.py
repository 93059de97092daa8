"""The exact answer of a run is there before its first estimate."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Document, Live, live_server
from puppet import OFFER, Puppet
from waiting import eventually

from entroscope.broker.connect import connect

SPEC: Document = {
    "model": "gaussian-mixture",
    "params": {"kind": "pair", "dimension": 4},
    "trajectories": 4,
    "schedule": {"steps": 4},
}


@pytest.fixture
def puppet(redis_url: str) -> Iterator[Puppet]:
    name = "gaussian-mixture"
    kind = {"name": name, "family": name, "labels": (), "params_kind": "mixture"}
    offer = OFFER.model_copy(update=kind)
    with connect(redis_url) as redis:
        yield Puppet(redis, offer).announce()


@pytest.fixture
def live(redis_url: str, puppet: Puppet, tmp_path: Path) -> Iterator[Live]:
    with live_server(redis_url, tmp_path) as server:
        yield server


def test_a_queued_run_a_finished_one_and_its_result_have_the_same_exact_curve(
    live: Live, puppet: Puppet
) -> None:
    run = live.make(SPEC)
    exact = run["curves"][0]["exact"]
    assert exact["entropy"][0] == pytest.approx(1, abs=0.01)
    assert live.http.post("/api/runs/plan", json=SPEC).json()["curves"][0]["exact"] == exact
    puppet.finish(run["id"])
    eventually(lambda: not puppet.log.read(run["id"]))
    result = live.http.get(f"/api/runs/{run['id']}/result").json()
    assert live.run(run["id"])["curves"][0]["exact"] == exact
    assert result["curves"]["classes"]["exact"] == exact


def test_lists_of_runs_leave_the_exact_curves_out(live: Live) -> None:
    live.make(SPEC)
    (run,) = live.http.get("/api/runs").json()["runs"]
    assert [curve["exact"] for curve in run["curves"]] == [None]
