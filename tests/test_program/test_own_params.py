"""A model of the user's with the parameter that the handbook shows: one file, used everywhere."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from handbook import GUIDE, blocks
from program import COMMAND, program
from waiting import eventually

IMPORTS = """
import dataclasses

import numpy as np
import torch
from pydantic import BaseModel, Field

from entroscope.protocol.models import ModelInfo
"""
(PARAMS,) = blocks(GUIDE / "own-model.md", "python own params")
MODEL = """
@dataclasses.dataclass(frozen=True)
class Two:
    device: torch.device
    distance: float = 4.0
    dtype = torch.float64
    info = ModelInfo(
        name="two", family="own", title="Two Gaussians", labels=("left", "right"), shape=(1,),
        params_schema=Params.model_json_schema(),
    )

    def bind(self, params, labels):
        return dataclasses.replace(self, distance=params["distance"])

    def start(self, noise, uniform, sigma, prior):
        return sigma * noise

    def denoise(self, x, sigma, rows, labels):
        center = (labels[:, None] - 0.5) * self.distance
        return center + (x[rows] - center) / (1 + sigma[rows, None] ** 2)

    def pictures(self, x):
        return np.zeros((len(x), 8, 8, 3), dtype=np.uint8)


MODELS = {"two": Two}
"""
SPEC: dict[str, Any] = {
    "model": "two",
    "trajectories": 32,
    "schedule": {"steps": 16, "sigma_max": 100, "sigma_min": 0.1},
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "two.py").write_text(IMPORTS + PARAMS + MODEL)
    return tmp_path / "two.py"


def peak(result: dict[str, Any]) -> float:
    """Return the noise level where most is decided."""
    production = result["curves"]["classes"]["production"]
    return float(result["sigma"][production.index(max(production))])


def wait(http: httpx.Client, run: str) -> None:
    eventually(lambda: http.get(f"/api/runs/{run}").json()["state"] == "done", 60)


def measured(model: Path, params: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (model.parent / "spec.json").write_text(json.dumps({**SPEC, "params": params}))
    files = [str(model.parent / "spec.json"), "--out", str(model.parent / "result.json")]
    command = [*COMMAND, "run", *files, "--models", str(model)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_parameter_of_its_own_changes_a_run_in_the_foreground(model: Path) -> None:
    results = []
    for params in ({}, {"distance": 40}):
        done = measured(model, params)
        assert done.returncode == 0, done.stderr
        results.append(json.loads((model.parent / "result.json").read_text()))
    assert [result["spec"]["params"] for result in results] == [{"distance": 4}, {"distance": 40}]
    assert peak(results[1]) > 4 * peak(results[0])


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"distance": 0}, "params.distance: must be > 0, got 0"),
        ({"distance": "far"}, 'params.distance: must be a number, got "far"'),
        ({"distanse": 4}, "params.distanse: is unknown (did you mean 'distance'?), got 4"),
    ],
)
def test_a_bad_value_of_it_is_refused_in_one_line(
    model: Path, params: dict[str, Any], said: str
) -> None:
    done = measured(model, params)
    assert done.returncode == 2 and done.stderr == f"entroscope: {said}\n"


def test_it_runs_through_server_and_worker(model: Path) -> None:
    with program(model.parent, "--models", str(model)) as running:
        (info,) = running.http.get("/api/models").json()["models"]
        assert info["params_schema"]["properties"]["distance"]["maximum"] == 100
        refused = running.http.post("/api/runs", json={**SPEC, "params": {"distance": 101}})
        assert refused.status_code == 422
        (problem,) = refused.json()["errors"]
        assert problem == {"field": "params.distance", "value": 101, "message": "must be <= 100"}
        runs = [
            running.http.post("/api/runs?reuse=1", json={**SPEC, "params": params}).json()["id"]
            for params in ({"distance": 40}, {})
        ]
        for run in runs:
            wait(running.http, run)
        far, near = (running.http.get(f"/api/runs/{run}/result").json() for run in runs)
        assert peak(far) > 4 * peak(near) and near["spec"]["params"] == {"distance": 4}
        equal = running.http.post("/api/runs?reuse=1", json={**SPEC, "params": {"distance": 4.0}})
        assert equal.status_code == 200 and equal.json()["id"] == runs[1]
