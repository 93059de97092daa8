"""The API describes itself completely, and the server starts light."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from entroscope.api.app import create_app
from entroscope.settings import Settings


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("data")
    return create_app(Settings(redis_url="redis://127.0.0.1:1", data_dir=folder))


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


PATHS = {
    "POST /api/runs",
    "GET /api/runs",
    "POST /api/runs/plan",
    "GET /api/runs/{run}",
    "DELETE /api/runs/{run}",
    "POST /api/runs/{run}/cancel",
    "POST /api/runs/{run}/extend",
    "POST /api/runs/{run}/refine",
    "GET /api/runs/{run}/result",
    "GET /api/runs/{run}/curves.csv",
    "GET /api/runs/{run}/previews/{step}",
    "GET /api/runs/{run}/events",
    "POST /api/sweeps",
    "GET /api/sweeps",
    "POST /api/sweeps/plan",
    "GET /api/sweeps/presets",
    "GET /api/sweeps/{sweep}",
    "DELETE /api/sweeps/{sweep}",
    "POST /api/sweeps/{sweep}/cancel",
    "GET /api/comparisons",
    "GET /api/models",
    "GET /api/presets",
    "GET /api/workers",
    "GET /api/schema/events",
    "GET /api/schema/spec",
    "GET /api/schema/quantities",
    "GET /healthz",
}


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == PATHS


def test_every_operation_says_what_it_does_answers_and_how_it_fails(
    document: dict[str, Any],
) -> None:
    for name, operation in operations(document):
        assert operation["description"], name
        good = [code for code in operation["responses"] if code.startswith("2")]
        assert good, name
        for code in good:
            content = operation["responses"][code].get("content", {})
            assert code == "204" or all(media.get("schema") for media in content.values()), name
            assert code == "204" or content, name
        assert "application/problem+json" in operation["responses"]["default"]["content"], name


def test_every_body_is_described(document: dict[str, Any]) -> None:
    bodies = {name for name, operation in operations(document) if "requestBody" in operation}
    assert bodies == {
        "POST /api/runs",
        "POST /api/runs/plan",
        "POST /api/runs/{run}/extend",
        "POST /api/runs/{run}/refine",
        "POST /api/sweeps",
        "POST /api/sweeps/plan",
    }


def test_every_reference_leads_somewhere_and_every_schema_is_one(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schemas)
    assert document["openapi"].startswith("3.1")


def test_the_quantities_of_a_curve_are_told_with_their_units(app: FastAPI) -> None:
    with TestClient(app, base_url="http://127.0.0.1") as http:
        answer = http.get("/api/schema/quantities").json()
        schema = http.get("/api/schema/events").json()
    assert [(q["name"], q["unit"], q["is_rate"], q["combined"]) for q in answer] == [
        ("entropy", "bits", False, True),
        ("cross_entropy", "bits", False, False),
        ("production", "bits", True, True),
    ]
    for quantity in answer:
        assert quantity["title"] and quantity["symbol"]
        assert re.fullmatch(r"[a-z-]+#[a-z-]+", quantity["anchor"])
        assert {quantity["name"], f"{quantity['name']}_se"} <= set(
            schema["$defs"]["CurvePoint"]["properties"]
        )


HEAVY = ("torch", "diffusers", "transformers", "pandas", "plotly", "scipy", "PIL", "fakeredis")

SCRIPT = f"""
import sys
from pathlib import Path
import httpx
from live import live_server
with live_server("redis://127.0.0.1:1", Path(sys.argv[1])) as live:
    assert live.http.get("/healthz").status_code == 200
    assert live.http.get("/plotly.min.js").status_code == 200
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_a_server_starts_without_anything_heavy(tmp_path: Path) -> None:
    support = Path(__file__).parents[1] / "support"
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=support,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr


def test_the_package_itself_imports_nothing() -> None:
    code = (
        "import sys, entroscope; light = set(sys.modules); entroscope.Client; "
        "print('httpx' in light, 'httpx' in sys.modules, 'pandas' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split() == ["False", "True", "False"]
