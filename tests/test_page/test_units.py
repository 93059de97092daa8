"""The page's own modules, tested by `node --test`."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))
OLDEST_NODE = 18


def node() -> str:
    """Return the path of Node; skip the test where there is none or an old one."""
    found = shutil.which("node")
    version = subprocess.check_output([found, "--version"], text=True) if found else "v0"
    if found is None or int(version[1:].split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"install nodejs {OLDEST_NODE} or newer to run this test")
    return found


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.split(".")[0])
def test_the_modules_of_the_page_pass_their_tests(file: Path) -> None:
    done = subprocess.run([node(), "--test", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
