"""Sweeps over HTTP: made as a whole or not at all, followed, cancelled, removed, and kept."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from live import Document, Live, live_server
from puppet import Puppet
from waiting import eventually

from entroscope.broker.run_store import RunStore
from entroscope.runs.sweep_store import SweepStore

SPEC: Document = {"model": "fake", "companions": 0, "trajectories": 12, "schedule": {"steps": 4}}
LONG: Document = {"schedule": {"steps": 8192}}
SWEEP: Document = {"spec": SPEC, "vary": [{"seed": 1}, {"seed": 2}, {"schedule": {"steps": 5}}]}


def make(live: Live, **fields: Any) -> Document:
    response = live.http.post("/api/sweeps", json=SWEEP | fields)
    assert response.status_code == 201, response.text
    return dict(response.json())


def get(live: Live, sweep: str) -> Document:
    return dict(live.http.get(f"/api/sweeps/{sweep}").json())


def stored(live: Live, sweep: str) -> Document:
    """Return a sweep without what depends on the workers alive at the moment."""
    found = get(live, sweep)
    return found | {"runs": [run | {"available": None} for run in found["runs"]]}


def ids(document: Document) -> list[str]:
    return [run["id"] for run in document["runs"]]


def runs_of(live: Live, **query: Any) -> list[str]:
    return [run["id"] for run in live.http.get("/api/runs", params=query).json()["runs"]]


def finish(puppet: Puppet, live: Live, runs: list[str]) -> None:
    """End all runs and wait until they are archived."""
    for _ in range(2 * len(runs)):  # a run has two batches, and they take turns
        puppet.perform(puppet.take())
    eventually(lambda: all(live.run(run)["state"] == "done" for run in runs))
    eventually(lambda: not any(puppet.log.read(run) for run in runs))


def test_a_sweep_makes_a_run_of_each_patch_in_order(live: Live) -> None:
    response = live.http.post("/api/sweeps", json=SWEEP | {"title": "seeds"})
    made = response.json()
    assert response.headers["location"] == f"/api/sweeps/{made['id']}"
    assert (made["title"], made["state"], made["progress"]) == ("seeds", "queued", 0)
    assert [(r["state"], r["position"]) for r in made["runs"]] == [
        ("queued", place) for place in range(3)
    ]
    specs = [live.run(run)["spec"] for run in ids(made)]
    assert [(spec["seed"], spec["schedule"]["steps"]) for spec in specs] == [(1, 4), (2, 4), (0, 5)]
    assert {live.run(run)["parent"] for run in ids(made)} == {made["id"]}


def test_a_sweep_shows_the_documents_of_its_runs(live: Live, puppet: Puppet) -> None:
    made = make(live)
    puppet.announce()
    document = get(live, made["id"])
    assert document["runs"] == [live.run(run) for run in ids(made)]
    assert (document["spec"], document["vary"]) == (SWEEP["spec"], SWEEP["vary"])
    assert document["title"] == "Fake, 3 runs"


def test_a_plan_is_the_price_of_all_runs_and_stores_nothing(live: Live, puppet: Puppet) -> None:
    puppet.announce()
    plan = live.http.post("/api/sweeps/plan", json=SWEEP).json()
    evaluations = 12 * 3 * (4 + 4 + 5)
    assert (plan["runs"], plan["title"]) == (3, "Fake, 3 runs")
    assert plan["cost"] == {
        "evaluations": evaluations,
        "seconds": pytest.approx(evaluations / 1000),
    }
    assert live.http.get("/api/sweeps").json()["sweeps"] == runs_of(live) == []


@pytest.mark.parametrize(
    ("sweep", "field", "value"),
    [
        ({"vary": [{}, {"seed": 1}, {"seed": -1}]}, "vary.2.seed", -1),
        ({"vary": [{}, {"schedule": {"steps": 1}}]}, "vary.1.schedule.steps", 1),
        ({"spec": SPEC | {"model": "none"}}, "spec.model", "none"),
        ({"spec": SPEC | {"colour": 1}}, "spec.colour", 1),
        ({"vary": []}, "vary", []),
        ({"vary": [1]}, "vary.0", 1),
        ({"title": ""}, "title", ""),
        ({"extra": 1}, "extra", 1),
        ({"vary": [{}, LONG | {"trajectories": 30_000}]}, "vary.1.trajectories", 30_000),
        ({"vary": [LONG | {"trajectories": 10_000}] * 3}, "vary", "3 runs"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/sweeps", "/api/sweeps/plan"])
def test_a_sweep_with_one_bad_run_makes_none(
    live: Live, sweep: Document, field: str, value: Any, path: str
) -> None:
    response = live.http.post(path, json=SWEEP | sweep)
    assert response.status_code == 422, response.text
    (error, *_) = response.json()["errors"]
    assert (error["field"], error["value"]) == (field, value)
    assert runs_of(live) == []


def test_too_many_patches_are_refused(live: Live) -> None:
    response = live.http.post("/api/sweeps", json=SWEEP | {"vary": [{}] * 201})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "vary" and "200" in response.text


def test_a_key_makes_a_sweep_once(live: Live) -> None:
    key = {"Idempotency-Key": "k"}
    first = live.http.post("/api/sweeps", json=SWEEP, headers=key)
    again = live.http.post("/api/sweeps", json=SWEEP, headers=key)
    other = live.http.post("/api/sweeps", json=SWEEP | {"title": "x"}, headers=key)
    assert [r.status_code for r in (first, again, other)] == [201, 200, 409]
    assert first.json() == again.json()
    assert len(runs_of(live)) == 3


def test_progress_and_state_follow_the_runs(live: Live, puppet: Puppet) -> None:
    made = make(live)
    puppet.perform(puppet.take())
    eventually(lambda: get(live, made["id"])["progress"] == pytest.approx(4 / 12 / 3))
    (short,) = live.http.get("/api/sweeps").json()["sweeps"]
    assert (short["state"], short["progress"]) == ("running", pytest.approx(4 / 12 / 3))
    for _ in range(5):
        puppet.perform(puppet.take())
    eventually(lambda: get(live, made["id"])["state"] == "done")
    assert get(live, made["id"])["progress"] == 1


def test_one_failed_run_fails_the_sweep_when_all_have_ended(live: Live, puppet: Puppet) -> None:
    made = make(live, vary=[{"seed": 1}, {"seed": 2}])
    puppet.queue.fail(puppet.take(), "no memory")
    eventually(lambda: get(live, made["id"])["state"] == "running")
    puppet.finish(ids(made)[1])
    eventually(lambda: get(live, made["id"])["state"] == "failed")


def test_sweeps_are_listed_newest_first_in_pages(live: Live) -> None:
    made = [make(live, title=f"s{i}")["id"] for i in range(3)]
    first = live.http.get("/api/sweeps", params={"limit": 2}).json()
    rest = live.http.get("/api/sweeps", params={"limit": 2, "before": first["next"]}).json()
    assert [sweep["id"] for page in (first, rest) for sweep in page["sweeps"]] == made[::-1]
    assert rest["next"] is None


def test_runs_are_listed_by_the_sweep_they_belong_to(live: Live, puppet: Puppet) -> None:
    alone = live.make(SPEC)
    made = make(live)
    assert sorted(runs_of(live, parent=made["id"])) == sorted(ids(made))
    for _ in range(8):
        puppet.perform(puppet.take())
    eventually(lambda: not any(puppet.log.read(run) for run in [alone["id"], *ids(made)]))
    assert runs_of(live, parent=made["id"]) == ids(made)[::-1]


def test_cancelling_a_sweep_cancels_what_has_not_ended(live: Live, puppet: Puppet) -> None:
    made = make(live)
    live.http.post(f"/api/runs/{ids(made)[0]}/cancel")
    receipts = live.http.post(f"/api/sweeps/{made['id']}/cancel").json()["receipts"]
    assert [(r["id"], r["effect"]) for r in receipts] == [(run, "removed") for run in ids(made)[1:]]
    assert get(live, made["id"])["state"] == "cancelled"
    assert live.http.post(f"/api/sweeps/{made['id']}/cancel").json()["receipts"] == []


def test_deleting_a_run_leaves_a_sweep_of_the_others(live: Live, puppet: Puppet) -> None:
    made = make(live)
    finish(puppet, live, ids(made))
    live.http.delete(f"/api/runs/{ids(made)[1]}").raise_for_status()
    found = get(live, made["id"])
    assert ids(found) == [ids(made)[0], ids(made)[2]]
    assert (found["state"], found["vary"]) == ("done", [SWEEP["vary"][0], SWEEP["vary"][2]])


def test_a_finished_sweep_is_deleted_with_its_runs(live: Live, puppet: Puppet) -> None:
    made = make(live)
    path = f"/api/sweeps/{made['id']}"
    assert live.http.delete(path).status_code == 409
    finish(puppet, live, ids(made))
    assert live.http.delete(path).status_code == 204
    assert runs_of(live) == live.http.get("/api/sweeps").json()["sweeps"] == []
    assert [live.http.request(how, path).status_code for how in ("GET", "DELETE")] == [404, 404]


@pytest.mark.parametrize("id", ["0" * 32, "x"])
def test_an_unknown_sweep_is_not_found(live: Live, id: str) -> None:
    for how, path in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
        response = live.http.request(how, f"/api/sweeps/{id}{path}")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"


def test_a_sweep_under_way_outlasts_a_restart(
    redis_url: str, puppet: Puppet, tmp_path: Path
) -> None:
    with live_server(redis_url, tmp_path) as live:
        made = make(live)
        puppet.perform(puppet.take())
    with live_server(redis_url, tmp_path) as live:
        puppet.announce()
        assert ids(get(live, made["id"])) == ids(made)
        assert get(live, made["id"])["state"] == "running"


def test_a_finished_sweep_outlasts_redis(redis_url: str, puppet: Puppet, tmp_path: Path) -> None:
    with live_server(redis_url, tmp_path) as live:
        made = make(live)
        finish(puppet, live, ids(made))
        before = stored(live, made["id"])
        live.app.state.services.redis.flushall()
    with live_server(redis_url, tmp_path) as live:
        assert stored(live, made["id"]) == before
        assert [sweep["id"] for sweep in live.http.get("/api/sweeps").json()["sweeps"]] == [
            made["id"]
        ]


def test_a_sweep_that_cannot_be_written_is_known_all_the_same(
    redis_url: str, puppet: Puppet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: SweepStore) -> None:
        raise OSError(28, "No space left on device")

    with live_server(redis_url, tmp_path) as live:
        with monkeypatch.context() as patch:
            patch.setattr(SweepStore, "keep", full)
            made = make(live)
            assert ids(get(live, made["id"])) == ids(made)
            assert not (tmp_path / "archive" / "sweeps").exists()
        file = tmp_path / "archive" / "sweeps" / f"{made['id']}.json"
        eventually(file.is_file)


def test_no_run_is_made_without_its_sweep(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: SweepStore, __: object) -> Any:
        def fail(_: object) -> None:
            raise ConnectionError("gone")

        return fail

    monkeypatch.setattr(SweepStore, "birth", broken)
    assert live.http.post("/api/sweeps", json=SWEEP).status_code == 500
    store: RunStore = RunStore(live.app.state.services.redis)
    assert store.list() == []


def test_files_that_are_no_sweeps_are_left_alone(redis_url: str, tmp_path: Path) -> None:
    stray = tmp_path / "archive" / "sweeps" / "x.json"
    stray.parent.mkdir(parents=True)
    stray.write_text("nonsense")
    with live_server(redis_url, tmp_path) as live:
        assert live.http.get("/api/sweeps").json()["sweeps"] == []
    assert stray.read_text() == "nonsense"


def test_answers_are_as_the_api_describes_them(live: Live) -> None:
    api = live.http.get("/openapi.json").json()
    made = make(live)
    answers = {
        "SweepSummary": made,
        "SweepDocument": get(live, made["id"]),
        "SweepList": live.http.get("/api/sweeps").json(),
        "SweepPlan": live.http.post("/api/sweeps/plan", json=SWEEP).json(),
        "SweepPresets": live.http.get("/api/sweeps/presets").json(),
        "Receipts": live.http.post(f"/api/sweeps/{made['id']}/cancel").json(),
    }
    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": api["components"]}
        jsonschema.validate(answer, schema)
        assert answer["schema"] == 1
