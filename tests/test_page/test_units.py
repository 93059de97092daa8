"""The page's modules: tested by `node --test`, and their quantities held against the server's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from entroscope.api.routes.schema import get_quantities
from entroscope.api.schemas import ShownQuantity

PAGE = Path(__file__).parents[2] / "frontend"
TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))
OLDEST_NODE = 18


def node() -> str:
    """Return the path of Node; skip the test where there is none or an old one."""
    found = shutil.which("node")
    version = subprocess.check_output([found, "--version"], text=True) if found else "v0"
    if found is None or int(version[1:].split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"install nodejs {OLDEST_NODE} or newer to run this test")
    return found


def of_the_page(module: str, expression: str) -> Any:
    """Return the value of an expression of a module `it` of the page, which passes as JSON."""
    url = (PAGE / module).as_uri()
    script = f"import * as it from {url!r}; console.log(JSON.stringify({expression}))"
    command = [node(), "--input-type=module", "--eval", script]
    return json.loads(subprocess.check_output(command, text=True))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.split(".")[0])
def test_the_modules_of_the_page_pass_their_tests(file: Path) -> None:
    done = subprocess.run([node(), "--test", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_quantities_of_the_page_are_those_that_the_server_tells_of() -> None:
    told = [
        ShownQuantity.model_validate(quantity, from_attributes=True).model_dump()
        for quantity in get_quantities()
    ]
    listed = of_the_page("protocol/quantities.js", "it.QUANTITIES")
    assert [{name: quantity[name] for name in listed[0]} for quantity in told] == listed
