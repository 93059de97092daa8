"""What README and handbook tell one to type works as it stands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from handbook import DOCUMENTS, GUIDE, README, blocks, prose
from program import Program, program

from entroscope.protocol.spec import Spec

ADDRESS = "http://127.0.0.1:8000"
#: Documents with blocks that are meant to be run against a running program, one after the other.
TYPED = [path for path in DOCUMENTS if blocks(path, "sh")]
PROGRAMS = [path for path in DOCUMENTS if blocks(path, "python")]
SPECS = [(path.name, block) for path in DOCUMENTS for block in blocks(path, "json")]
MOST_WORDS = 900


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with program(tmp_path_factory.mktemp("readme"), "--models", "gaussian-mixture") as started:
        yield started


def run(command: list[str], folder: Path) -> str:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout


def test_there_are_examples_in_shell_and_python() -> None:
    assert GUIDE / "script.md" in TYPED
    assert {README, GUIDE / "script.md"} <= set(PROGRAMS)


@pytest.mark.parametrize("document", TYPED, ids=lambda path: path.name)
def test_the_shell_examples_work_one_after_the_other(
    running: Program, tmp_path: Path, document: Path
) -> None:
    script = "\n".join(blocks(document, "sh")).replace(ADDRESS, running.address)
    printed = run(["bash", "-euo", "pipefail", "-c", script], tmp_path)
    assert '"type":"done"' in printed.replace('": "', '":"')
    assert (tmp_path / "preview.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("document", PROGRAMS, ids=lambda path: path.name)
def test_the_python_examples_work(running: Program, tmp_path: Path, document: Path) -> None:
    script = "\n".join(blocks(document, "python")).replace(ADDRESS, running.address)
    printed = run([sys.executable, "-c", script], tmp_path)
    assert printed.strip()
    figures = list(tmp_path.glob("*.html"))
    assert figures
    assert all(path.stat().st_size > 1000 for path in figures)


@pytest.mark.parametrize("block", [block for _, block in SPECS], ids=[name for name, _ in SPECS])
def test_every_json_example_is_a_spec(block: str) -> None:
    Spec.model_validate(json.loads(block))


def test_the_readme_opens_with_a_picture_and_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    start = "python3 -m venv .venv && .venv/bin/pip install "
    picture, first, second = (
        text.index(part) for part in ("![", f"{start}. &&", f"{start}'.[test]' &&")
    )
    assert picture < first < second


def test_the_readme_can_be_read_in_five_minutes() -> None:
    assert len(prose(README).split()) <= MOST_WORDS
