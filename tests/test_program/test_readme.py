"""What the README tells one to type works as it stands."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program, program

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found, language
    return list(found)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with program(tmp_path_factory.mktemp("readme"), "--models", "gaussian-mixture") as started:
        yield started


def test_the_curl_examples_work_one_after_the_other(running: Program, tmp_path: Path) -> None:
    script = "\n".join(blocks("sh")).replace(ADDRESS, running.address)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert '"type":"done"' in done.stdout.replace('": "', '":"')
    assert (tmp_path / "preview.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_python_example_works(running: Program, tmp_path: Path) -> None:
    script = "\n".join(blocks("python")).replace(ADDRESS, running.address)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "done" in done.stdout.split()
    for name in ("figure.html", "sweep.html"):
        assert (tmp_path / name).stat().st_size > 1000


def test_the_spec_example_is_a_spec() -> None:
    from entroscope.protocol.spec import Spec

    for block in blocks("json"):
        Spec.model_validate(json.loads(block))


def test_its_pictures_and_files_exist() -> None:
    for path in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / path).is_file(), path


def test_it_opens_with_a_picture_and_the_two_commands() -> None:
    start = "python3 -m venv .venv && .venv/bin/pip install "
    picture, first, second = (
        README.index(part) for part in ("![", f"{start}. &&", f"{start}'.[test]' &&")
    )
    assert picture < first < second
