"""A run that this version cannot read is shown as such, and takes nothing else with it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from live import Document, Live, live_server
from puppet import Puppet
from waiting import eventually

from entroscope.broker.connect import connect
from entroscope.broker.keys import queue_key, run_key
from entroscope.runs.archiver import Archiver

SPEC: Document = {"model": "fake", "trajectories": 12, "schedule": {"steps": 4}}
DAMAGE: dict[str, dict[Any, Any]] = {
    "field of a later version": {"spec": '{"schema": 1, "model": "fake", "later": 1}'},
    "unknown state": {"state": "paused"},
    "no JSON": {"spec": "nonsense", "info": "nonsense"},
    "no plan": {"spec": '{"schema": 1, "model": "fake", "partitions": {"classes": [1]}}'},
    "no time": {"created_ms": "now"},
}


def damaged(live: Live, damage: str) -> str:
    run = str(live.make(SPEC)["id"])
    with connect(live.settings.redis_url) as redis:
        redis.hset(run_key(run), mapping=DAMAGE[damage])
    return run


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_row_that_cannot_be_read_is_listed_and_shown(
    live: Live, puppet: Puppet, damage: str
) -> None:
    run = damaged(live, damage)
    other = live.make(SPEC)["id"]
    listed = live.http.get("/api/runs").raise_for_status().json()
    assert {each["id"] for each in listed["runs"]} == {run, other}
    shown = live.http.get(f"/api/runs/{run}").raise_for_status().json()
    assert shown["state"] == "failed" and "cannot read" in shown["reason"]
    api = live.http.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/RunList", "components": api["components"]}
    jsonschema.validate(listed, schema)


@pytest.mark.parametrize("damage", DAMAGE)
def test_other_runs_are_made_done_and_archived_beside_it(
    live: Live, puppet: Puppet, damage: str
) -> None:
    run = damaged(live, damage)
    other = str(live.make(SPEC)["id"])
    while live.run(other)["state"] in ("queued", "running"):
        if (taken := puppet.queue.take("puppet", ["fake"], 100, "strings")) is not None:
            puppet.perform(taken)
    eventually(lambda: not puppet.log.read(other))
    assert live.http.get("/healthz").json()["status"] == "ok"
    for path in ("result", "previews/0"):
        assert live.http.get(f"/api/runs/{run}/{path}").status_code in (404, 409)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_row_that_cannot_be_read_can_be_deleted(live: Live, puppet: Puppet, damage: str) -> None:
    run = damaged(live, damage)
    assert live.http.delete(f"/api/runs/{run}").status_code == 204
    assert live.http.get("/api/runs").json()["runs"] == []
    assert live.http.delete(f"/api/runs/{run}").status_code == 404
    with connect(live.settings.redis_url) as redis:
        assert [key for key in redis.scan_iter() if run.encode() in key] == []
        assert redis.xlen(queue_key("fake")) == 0


def test_a_sweep_goes_with_its_runs_that_cannot_be_read(live: Live, puppet: Puppet) -> None:
    sweep = live.http.post("/api/sweeps", json={"spec": SPEC, "vary": [{"seed": 1}]}).json()
    run = sweep["runs"][0]["id"]
    with connect(live.settings.redis_url) as redis:
        redis.hset(run_key(run), mapping=DAMAGE["no JSON"])
    assert live.http.delete(f"/api/sweeps/{sweep['id']}").status_code == 204
    assert live.http.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize("content", [b'{"half', b"[]", b"\xff", b'{"id": 7}'])
def test_a_run_whose_document_is_damaged_at_the_start_is_listed_and_can_be_deleted(
    redis_url: str, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "archive" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(content)
    with live_server(redis_url, tmp_path) as live:
        (listed,) = live.http.get("/api/runs").json()["runs"]
        assert (listed["id"], listed["state"]) == (folder.name, "failed")
        assert "cannot read" in listed["reason"]
        assert live.http.delete(f"/api/runs/{folder.name}").status_code == 204
        assert live.http.get("/api/runs").json()["runs"] == []
    assert not folder.exists()


@pytest.mark.parametrize("name", ["run.json", "result.json", "values.npz", "events.jsonl"])
def test_a_damaged_file_of_the_archive_is_a_conflict(live: Live, puppet: Puppet, name: str) -> None:
    run = str(live.make(SPEC)["id"])
    puppet.finish(run)
    eventually(lambda: not puppet.log.read(run))
    file: Path = live.settings.data_dir / "archive" / run / name
    file.write_bytes(b'{"half')
    assert [each["id"] for each in live.http.get("/api/runs").json()["runs"]] == [run]
    answers = {
        path: live.http.get(f"/api/runs/{run}{path}").status_code
        for path in ("", "/result", "/result?pair_prior=.1", "/events")
    }
    assert 500 not in answers.values(), answers
    assert answers[""] == 200
    grown = live.http.post(f"/api/runs/{run}/extend", json={"trajectories": 24})
    assert grown.status_code in (201, 409)


def test_a_background_task_that_ends_is_restarted_and_seen_by_health(
    live: Live, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def broken(self: Archiver, idle_s: float) -> None:
        calls.append(idle_s)
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Archiver, "tend", broken)
        eventually(lambda: len(calls) > 2)
        eventually(lambda: health(live)["status"] == "degraded")
    eventually(lambda: health(live)["status"] == "ok")
    run = str(live.make(SPEC)["id"])
    puppet.finish(run)
    eventually(lambda: not puppet.log.read(run))


def health(live: Live) -> dict[str, Any]:
    return dict(json.loads(live.http.get("/healthz").content))
