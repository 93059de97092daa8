"""Types and style hold everywhere."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_the_tool_finds_nothing(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["server", "workers", "frontend"])
def test_no_file_is_longer_than_300_lines(folder: str) -> None:
    endings = {".py", ".js", ".css"}
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in endings]
    assert files
    long = {str(p): n for p in files if (n := p.read_text().count("\n")) > 300}
    assert long == {}
