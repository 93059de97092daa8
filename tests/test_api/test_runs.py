"""Runs over HTTP: made, priced, listed, cancelled, extended, removed."""

import jsonschema
import pytest
import redis
from live import Document, Live
from puppet import Puppet
from waiting import eventually

from entroscope.protocol.spec import Spec

SPEC: Document = {"model": "fake", "companions": 0, "trajectories": 12, "schedule": {"steps": 4}}


def finished(live: Live, puppet: Puppet, **fields: object) -> Document:
    """Return a run that is done and archived."""
    run = live.make(SPEC | fields)
    puppet.finish(run["id"])
    return live.run(run["id"])


def test_a_new_run_is_queued_with_its_resolved_spec(live: Live) -> None:
    response = live.http.post("/api/runs", json=SPEC)
    run = response.json()
    assert (response.status_code, run["state"], run["position"]) == (201, "queued", 0)
    assert response.headers["location"] == f"/api/runs/{run['id']}"
    assert run["spec"]["schedule"] == {
        "steps": 4,
        "sigma_max": 80.0,
        "sigma_min": 0.02,
        "rho": 7.0,
    }
    assert live.run(run["id"]) == run


def test_the_resolved_spec_makes_the_same_run_again(live: Live) -> None:
    first = live.make(SPEC)
    assert live.make(first["spec"])["spec_hash"] == first["spec_hash"]


def test_a_plan_costs_what_the_run_will_and_stores_nothing(live: Live) -> None:
    plan = live.http.post("/api/runs/plan", json=SPEC).json()
    assert plan["cost"] == {"evaluations": 12 * 4 * 3, "seconds": pytest.approx(0.144)}
    assert (plan["batches"], plan["labels"], len(plan["sigma"])) == ([4, 8], ["a", "b", "c"], 4)
    assert live.http.get("/api/runs").json()["runs"] == []


def test_a_run_of_a_model_without_workers_waits_and_says_so(live: Live, puppet: Puppet) -> None:
    puppet.withdraw()
    run = live.make(SPEC)
    assert (run["state"], run["available"], run["cost"]["seconds"]) == ("queued", False, None)
    assert run["progress"]["seconds_left"] is None


def test_positions_and_times_count_the_runs_that_share_the_workers(live: Live) -> None:
    first, second = live.make(SPEC), live.make(SPEC | {"trajectories": 24})
    assert [live.run(run["id"])["position"] for run in (first, second)] == [0, 1]
    left = [live.run(run["id"])["progress"]["seconds_left"] for run in (first, second)]
    assert left == pytest.approx([2 * 0.144, 0.144 + 0.288])


def test_progress_counts_steps_under_way_and_the_speed_seen(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.perform(puppet.take())
    eventually(lambda: live.run(run)["progress"]["trajectories"] == 4)
    progress = live.run(run)["progress"]
    assert progress["fraction"] == pytest.approx(4 / 12)
    seen = 4 * 4 * 3 / 0.5  # evaluations and seconds of the first batch
    assert progress["seconds_left"] == pytest.approx(8 * 4 * 3 / seen)


def test_a_finished_run_has_a_result(live: Live, puppet: Puppet) -> None:
    run = finished(live, puppet)
    result = live.http.get(f"/api/runs/{run['id']}/result").json()
    assert (run["state"], run["progress"]["fraction"], run["position"]) == ("done", 1.0, None)
    assert result["trajectories"] == 12
    assert result["spec"] == run["spec"]
    assert len(result["curves"]["classes"]["entropy"]) == 4


def test_an_unfinished_run_has_no_result_yet(live: Live) -> None:
    run = live.make(SPEC)["id"]
    for path in ("result", "curves.csv"):
        response = live.http.get(f"/api/runs/{run}/{path}")
        assert response.status_code == 409
        assert "is queued" in response.json()["detail"]


def test_a_queued_run_is_removed_by_cancel_and_keeps_no_result(live: Live) -> None:
    run = live.make(SPEC)["id"]
    receipt = live.http.post(f"/api/runs/{run}/cancel").json()
    assert (receipt["id"], receipt["state"], receipt["effect"]) == (run, "cancelled", "removed")
    assert live.run(run)["state"] == "cancelled"
    assert live.http.get(f"/api/runs/{run}/result").status_code == 404
    assert live.http.post(f"/api/runs/{run}/cancel").json()["effect"] == "finished"


def test_a_cancelled_run_keeps_what_was_measured(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.perform(puppet.take())
    taken = puppet.take()
    receipt = live.http.post(f"/api/runs/{run}/cancel").json()
    assert (receipt["effect"], receipt["batch"]) == ("stopping", 1)
    puppet.queue.cancelled(taken, 2)
    assert live.http.get(f"/api/runs/{run}/result").json()["trajectories"] == 4
    assert live.run(run)["progress"]["trajectories"] == 4


def test_a_failed_run_says_why(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    puppet.queue.fail(puppet.take(), "out of memory")
    found = live.run(run)
    assert (found["state"], found["reason"]) == ("failed", "out of memory")


def test_runs_are_listed_newest_first_in_pages_over_live_and_archived(
    live: Live, puppet: Puppet
) -> None:
    made = [finished(live, puppet)["id"] for _ in range(3)]
    made += [live.make(SPEC)["id"] for _ in range(3)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"before": cursor} if cursor else {})
        page = live.http.get("/api/runs", params=query).json()
        seen += [run["id"] for run in page["runs"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_runs_are_filtered_by_state_and_model(live: Live, puppet: Puppet) -> None:
    done, queued = finished(live, puppet)["id"], live.make(SPEC)["id"]

    def listed(**query: str) -> list[str]:
        return [run["id"] for run in live.http.get("/api/runs", params=query).json()["runs"]]

    assert listed(state="done") == [done]
    assert listed(state="queued", model="fake") == [queued]
    assert listed(model="other") == []


def test_only_finished_runs_can_be_deleted(live: Live, puppet: Puppet) -> None:
    run = live.make(SPEC)["id"]
    assert live.http.delete(f"/api/runs/{run}").status_code == 409
    puppet.finish(run)
    assert live.http.delete(f"/api/runs/{run}").status_code == 204
    assert live.http.get(f"/api/runs/{run}").status_code == 404
    assert live.http.delete(f"/api/runs/{run}").status_code == 404


def test_an_equal_finished_run_is_reused_only_when_asked_for(live: Live, puppet: Puppet) -> None:
    run = finished(live, puppet)["id"]
    again = live.http.post("/api/runs?reuse=1", json=SPEC | {"previews": None})
    assert (again.status_code, again.json()["id"]) == (200, run)
    other = live.http.post("/api/runs?reuse=1", json=SPEC | {"seed": 1})
    assert other.status_code == 201
    assert live.make(SPEC)["id"] != run


def test_the_same_idempotency_key_gives_the_same_run(live: Live) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = live.make(SPEC, headers=headers)
    again = live.http.post("/api/runs", json=SPEC, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = live.http.post("/api/runs", json=SPEC | {"seed": 1}, headers=headers)
    assert other.status_code == 409
    assert len(live.http.get("/api/runs").json()["runs"]) == 1


def test_an_idempotency_key_outlives_a_crash_before_the_run_was_made(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = live.app.state.services.submissions._store
    headers = {"Idempotency-Key": "k-2"}

    def crash(*_: object, **__: object) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "create", crash)
        assert live.http.post("/api/runs", json=SPEC, headers=headers).status_code == 503
    assert live.make(SPEC, headers=headers)["state"] == "queued"


def test_a_finished_run_is_extended_with_its_equal_batches(live: Live, puppet: Puppet) -> None:
    old = finished(live, puppet)["id"]
    response = live.http.post(f"/api/runs/{old}/extend", json={"trajectories": 20})
    new = response.json()
    assert (response.status_code, new["extends"]) == (201, old)
    assert puppet.take().batch == 2  # batches 0 and 1 (4 and 8 trajectories) are known
    eventually(lambda: live.run(new["id"])["progress"]["trajectories"] == 12)


def test_an_extended_run_gives_the_numbers_of_one_made_whole(live: Live, puppet: Puppet) -> None:
    old = finished(live, puppet)["id"]
    new = live.http.post(f"/api/runs/{old}/extend", json={"trajectories": 20}).json()["id"]
    puppet.finish(new)
    whole = finished(live, puppet, trajectories=20)["id"]
    curves = [live.http.get(f"/api/runs/{run}/result").json()["curves"] for run in (new, whole)]
    assert curves[0] == curves[1]


def test_a_run_grows_only_when_done_and_only_upwards(live: Live, puppet: Puppet) -> None:
    queued = live.make(SPEC)["id"]
    extend = f"/api/runs/{queued}/extend"
    assert live.http.post(extend, json={"trajectories": 20}).status_code == 409
    puppet.finish(queued)
    refused = live.http.post(extend, json={"trajectories": 12})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "trajectories"


def test_models_and_workers_are_listed(live: Live, puppet: Puppet) -> None:
    (model,) = live.http.get("/api/models").json()["models"]
    assert (model["name"], model["available"], model["labels_default"]) == (
        "fake",
        True,
        ["a", "b", "c"],
    )
    (worker,) = live.http.get("/api/workers").json()["workers"]
    assert (worker["name"], worker["device"], worker["run"]) == ("puppet", "strings", None)


def test_curves_come_as_csv_with_unit_and_axis_in_their_names(live: Live, puppet: Puppet) -> None:
    run = finished(live, puppet)["id"]
    url = f"/api/runs/{run}/curves.csv"
    bits = [line.split(",") for line in live.http.get(url).text.splitlines()]
    nats = [
        line.split(",")
        for line in live.http.get(url, params={"unit": "nats", "axis": "log_snr"}).text.splitlines()
    ]
    assert bits[0][:4] == ["curve", "sigma", "n", "entropy_bits"]
    assert "production_bits_per_ln_sigma" in bits[0]
    assert nats[0][:3] == ["curve", "sigma", "log_snr"]
    at_bits, at_nats = (
        bits[0].index("production_bits_per_ln_sigma"),
        nats[0].index("production_nats_per_log_snr"),
    )
    assert float(nats[2][at_nats]) == pytest.approx(float(bits[2][at_bits]) * 0.6931472 / 2)
    assert len(bits) == 1 + 4


def test_pictures_are_there_while_the_run_goes_on_and_afterwards(
    live: Live, puppet: Puppet
) -> None:
    run = live.make(SPEC)["id"]
    puppet.perform(puppet.take())
    url = f"/api/runs/{run}/previews/2"
    under_way = live.http.get(url)
    puppet.finish(run)
    live.http.get(f"/api/runs/{run}/result").raise_for_status()
    archived = live.http.get(url)
    assert under_way.content == archived.content == b"\xff\xd8\xff\xe0picture\xff\xd9\x02"
    assert archived.headers["content-type"] == "image/jpeg"
    assert live.http.get(f"/api/runs/{run}/previews/99").status_code == 404


def test_the_schema_of_specs_accepts_what_the_server_answers(live: Live) -> None:
    schema = live.http.get("/api/schema/spec").json()
    jsonschema.validate(live.make(SPEC)["spec"], schema)
    assert schema["title"] == Spec.__name__


def test_before_any_worker_was_there_runs_are_unavailable(live: Live) -> None:
    live.app.state.services.redis.flushall()
    response = live.http.post("/api/runs", json=SPEC)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "no worker" in response.json()["detail"]


def test_a_finished_run_is_refined_where_it_decided(live: Live, puppet: Puppet) -> None:
    old = live.make(SPEC)["id"]
    assert live.http.post(f"/api/runs/{old}/refine", json={}).status_code == 409
    puppet.finish(old)
    response = live.http.post(f"/api/runs/{old}/refine", json={"steps": 7})
    new, before = response.json(), live.http.get(f"/api/runs/{old}").json()
    assert (response.status_code, new["state"]) == (201, "queued")
    assert len(new["sigma"]) == len(new["spec"]["schedule"]["sigmas"]) == 7
    assert [new["sigma"][end] for end in (0, -1)] == [before["sigma"][end] for end in (0, -1)]
    assert new["spec"]["seed"] != before["spec"]["seed"]
    for body, field in (({"steps": 1}, "steps"), ({"colour": 1}, "colour")):
        refused = live.http.post(f"/api/runs/{old}/refine", json=body)
        assert refused.status_code == 422 and field in refused.text
