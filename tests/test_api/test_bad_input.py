"""Whatever is wrong with a request: one clear problem document, and nothing changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from live import Document, Live, live_server
from puppet import Puppet

from entroscope.broker.connect import connect
from entroscope.processes.local_redis import LocalRedis

SPEC: Document = {"model": "fake", "companions": 0, "trajectories": 12, "schedule": {"steps": 4}}

#: Change of the spec, field that is named, part of the message.
BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"model": "nope"}, "model", "the models are fake"),
    ({"model": 3}, "model", "must be a text"),
    ({"colour": "red"}, "colour", "is unknown; there are "),
    ({"schedule": {"stepz": 4}}, "schedule.stepz", "did you mean 'steps'?"),
    ({"schedule": {"steps": 1}}, "schedule.steps", "must be >= 2"),
    ({"schedule": {"steps": 2.5}}, "schedule.steps", "whole number"),
    ({"schedule": {"sigma_min": 9, "sigma_max": 3}}, "schedule", "must be < sigma_max"),
    ({"schedule": {"sigma_min": 100}}, "schedule.sigma_min", "must be < sigma_max"),
    ({"schedule": {"sigma_max": 1e999}}, "schedule.sigma_max", "finite"),
    ({"trajectories": 0}, "trajectories", "must be >= 2"),
    ({"trajectories": "12"}, "trajectories", "whole number"),
    ({"trajectories": 10**7}, "trajectories", "must be <= "),
    ({"seed": -1}, "seed", "must be >= 0"),
    ({"params": {"x": 1}}, "params", "has no parameters"),
    ({"partitions": {}}, "partitions", "must have at least 1 item(s), has 0"),
    ({"partitions": {"Big Name": None}}, "partitions", "lower-case"),
    ({"partitions": {"p": 7}}, "partitions.p", "'each-vs-rest'"),
    ({"partitions": {"p": []}}, "partitions.p", "2 groups"),
    ({"partitions": {"p": [{"name": "x", "labels": ["a", "b"]}]}}, "partitions.p", "2 groups"),
    (
        {"partitions": {"p": [{"name": "x", "labels": ["a"]}, {"name": "y", "labels": ["z"]}]}},
        "partitions.p.1.labels",
        "the labels are a, b, c",
    ),
    (
        {"partitions": {"p": [{"name": "x", "labels": ["a"]}, {"name": "y", "labels": [0]}]}},
        "partitions.p.1.labels",
        "is in 'x' already",
    ),
    (
        {"partitions": {"p": [{"name": "x", "labels": [1.5]}, {"name": "y", "labels": ["b"]}]}},
        "partitions.p.0.labels.0",
        "must be a text or a whole number",
    ),
    (
        {
            "partitions": {
                "p": [{"name": "x", "groups": [{"name": "y"}]}, {"name": "z", "labels": [0]}]
            }
        },
        "partitions.p.0.groups.0",
        "either labels or groups, 'y' has neither",
    ),
    (
        {"partitions": {"p": [{"name": "x", "groups": []}, {"name": "z", "labels": [0]}]}},
        "partitions.p.0.groups",
        "2 groups or more, has 0",
    ),
    ({"prior": "mine"}, "prior", "'model' or 'uniform'"),
    ({"prior": {"a": -1}}, "prior.a", "must be > 0"),
    ({"prior": {"nobody": 1}}, "prior", "no label 'nobody'"),
    ({"target_se_bits": 0}, "target_se_bits", "must be >= 0.00001"),
    ({"batch_sizes": {"first": 8, "largest": 4}}, "batch_sizes", "first must be <= largest"),
    ({"schema": 2}, "schema", "1"),
    ({"studies": {"branching": {"sigma": 3}}}, "studies.branching.sigma", "the nearest are"),
    ({"studies": {"switch": {"levels": 0}}}, "studies.switch.levels", "must be >= 1"),
    ({"studies": {"switch": {"trajectories": 13}}}, "studies.switch.trajectories", "only 12"),
]


@pytest.fixture(scope="module")
def live(real_redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all of these: nothing that it is sent may change anything."""
    with connect(real_redis.url) as redis:
        redis.flushall()
        Puppet(redis).announce()
    with live_server(real_redis.url, tmp_path_factory.mktemp("data")) as server:
        yield server
        assert server.http.get("/api/runs").json()["runs"] == []


@pytest.mark.parametrize(("change", "field", "message"), BAD_FIELDS, ids=lambda v: str(v)[:60])
def test_a_bad_field_is_named_with_its_value(
    live: Live, change: dict[str, Any], field: str, message: str
) -> None:
    for path in ("/api/runs", "/api/runs/plan"):
        body = _json(SPEC | change)
        response = live.http.post(path, content=body)
        problem = response.json()
        assert response.status_code == 422, problem
        assert response.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in problem["errors"]] == [field]
        assert message in problem["errors"][0]["message"]


def _json(document: Any) -> str:
    return json.dumps(document).replace("Infinity", "1e999")


def test_all_bad_fields_are_told_at_once_with_their_values(live: Live) -> None:
    problem = live.http.post("/api/runs", json={"seed": -1, "trajectories": 1}).json()
    told = {error["field"]: error["value"] for error in problem["errors"]}
    assert told == {"model": None, "seed": -1, "trajectories": 1}
    assert problem["title"] == "Unprocessable Entity"


MALFORMED = [
    b"",
    b"{",
    b"nonsense",
    b'{"model": "fake"} extra',
    b'{"model": NaN}',
    b'{"model": "fake", "trajectories": Infinity}',
    b'{"model": "fake", "prune_below": -Infinity}',
    b'{"model": "\xff"}',
    b'{"model": "\\ud800"}',
    b'{"model": "fake", "model": "fake"}',
    b"[" * 100_000,
    b'{"seed": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:30]))
def test_what_is_not_json_is_a_bad_request(live: Live, body: bytes) -> None:
    response = live.http.post("/api/runs", content=body)
    assert (response.status_code, response.json()["status"]) == (400, 400)
    assert response.json()["detail"]


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"{}"])
def test_json_that_is_no_spec_is_refused(live: Live, body: bytes) -> None:
    assert live.http.post("/api/runs", content=body).status_code == 422


def test_a_body_over_the_limit_is_too_large(live: Live) -> None:
    body = b'{"model": "' + b"x" * 2**20 + b'"}'
    response = live.http.post("/api/runs", content=body)
    assert (response.status_code, response.json()["title"]) == (413, "Request Entity Too Large")


def test_a_body_over_the_limit_in_chunks_is_too_large(live: Live) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 20_000

    assert live.http.post("/api/runs", content=chunks()).status_code == 413


def test_a_long_value_is_repeated_only_in_part(live: Live) -> None:
    response = live.http.post("/api/runs", json=SPEC | {"model": "x" * 100_000})
    assert response.status_code == 422
    assert len(response.content) < 2000


def test_a_run_over_the_budget_is_refused_with_its_cost(live: Live) -> None:
    response = live.http.post(
        "/api/runs", json=SPEC | {"trajectories": 1_000_000, "schedule": {"steps": 8192}}
    )
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"], error["value"]) == (422, "trajectories", 10**6)
    assert "24,576,000,000 evaluations; the limit is 500,000,000" in error["message"]


def test_a_run_of_too_many_batches_is_refused(live: Live) -> None:
    sizes = {"first": 1, "largest": 1}
    response = live.http.post("/api/runs", json=SPEC | {"trajectories": 5000, "batch_sizes": sizes})
    assert response.json()["errors"][0]["field"] == "batch_sizes.largest"


IDS = ["nobody", "0" * 32, "0" * 31, "G" * 32, "..%2f..%2fetc%2fpasswd", "%00", "x" * 5000, "é"]


@pytest.mark.parametrize("id", IDS)
def test_unknown_and_malformed_ids_are_not_found(live: Live, id: str) -> None:
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", "/result"),
        ("GET", "/curves.csv"),
        ("GET", "/previews/0"),
        ("GET", "/events"),
    ]:
        response = live.http.request(method, f"/api/runs/{id}{path}")
        assert response.status_code in (404, 405), (method, path)
        assert response.headers["content-type"] == "application/problem+json"


QUERIES = [
    ("?state=sleeping", "state"),
    ("?limit=0", "limit"),
    ("?limit=many", "limit"),
    ("?before=yesterday", "before"),
    (f"?before=²-{'0' * 32}", "before"),
    (f"/{'0' * 32}/previews/minus-one", "step"),
    (f"/{'0' * 32}/curves.csv?unit=bananas", "unit"),
    (f"/{'0' * 32}/curves.csv?axis=sideways", "axis"),
    (f"/{'0' * 32}/events?after=yesterday", "after"),
]


@pytest.mark.parametrize(("path", "field"), QUERIES)
def test_bad_parameters_are_named(live: Live, path: str, field: str) -> None:
    response = live.http.get(f"/api/runs{path}")
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"]) == (422, field)


@pytest.mark.parametrize("key", ["", "x" * 300])
def test_a_bad_idempotency_key_is_refused(live: Live, key: str) -> None:
    response = live.http.post("/api/runs", json=SPEC, headers={"Idempotency-Key": key})
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("path", ["/api/nothing", "/nothing.js", "/%00", "/..%2fserver"])
def test_unknown_paths_are_not_found(live: Live, path: str) -> None:
    response = live.http.get(path)
    assert (response.status_code, response.json()["status"]) == (404, 404)


def test_a_wrong_method_says_which_are_right(live: Live) -> None:
    response = live.http.put("/api/runs", json=SPEC)
    assert response.status_code == 405
    assert "POST" in response.headers["allow"] or "GET" in response.headers["allow"]


@pytest.mark.parametrize("depth", [100, 900, 5000])
def test_json_that_is_nested_deeply_is_refused(live: Live, depth: int) -> None:
    body = '{"model": "fake", "params": {"a": ' + "[" * depth + "]" * depth + "}}"
    answer = live.http.post("/api/runs/plan", content=body)
    assert answer.status_code == 400
    assert "nested too deeply" in answer.json()["detail"]
