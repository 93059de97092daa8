"""docker-compose.yml is what docker compose accepts. No engine is needed to read it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = shutil.which("docker-compose")


@pytest.fixture(scope="module", params=["gpu", "cpu"])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    if COMPOSE is None:
        pytest.skip("docker-compose is missing: apt-get install docker-compose")
    command = [COMPOSE, "-f", str(ROOT / "docker-compose.yml"), "--profile", request.param]
    env = {**os.environ, "ENTROSCOPE_TOKEN": "secret"}
    done = subprocess.run([*command, "config"], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = yaml.safe_load(done.stdout)
    services: dict[str, Any] = document["services"]
    return services | {"profile": request.param}


def test_redis_keeps_an_append_only_file_on_a_volume(services: dict[str, Any]) -> None:
    assert "--appendonly yes" in services["redis"]["command"]
    assert services["redis"]["volumes"]


def test_only_the_gpu_worker_reserves_a_gpu(services: dict[str, Any]) -> None:
    def gpus(name: str) -> list[Any]:
        reserved = services[name].get("deploy", {}).get("resources", {}).get("reservations", {})
        return [d for d in reserved.get("devices", []) if "gpu" in d["capabilities"]]

    assert gpus("worker")
    assert not gpus("worker-cpu")


def test_every_command_is_one_the_command_line_knows(services: dict[str, Any]) -> None:
    from entroscope.cli import parser

    for name in ("server", "worker", "worker-cpu"):
        command = services[name]["command"]
        words = command if isinstance(command, list) else command.split()
        parser().parse_args(words)


def test_every_service_is_built_from_a_dockerfile_that_exists() -> None:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    builds = [s["build"]["dockerfile"] for s in document["services"].values() if "build" in s]
    assert len(builds) == 3
    assert all((ROOT / dockerfile).is_file() for dockerfile in builds)
