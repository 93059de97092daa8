"""What pyproject.toml declares: enough for all that is imported, and one version everywhere."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES: list[str] = DECLARED["project"]["dependencies"]
TEXT: list[str] = DECLARED["project"]["optional-dependencies"]["text"]
SERVER: list[str] = DECLARED["dependency-groups"]["server"]
HOUSE = {"entroscope", "entroscope_workers"}

#: Imports every module of the package that the server's image holds, but for the commands that
#: start workers; modules of the distributions named on standard input cannot be imported.
IMPORT_ALL = """
import importlib, json, pkgutil, sys

class Refusing:
    def __init__(self, names):
        self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is not among the dependencies of the server")

sys.meta_path.insert(0, Refusing(set(json.load(sys.stdin))))
import entroscope
for module in pkgutil.walk_packages(entroscope.__path__, "entroscope."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
from entroscope.cli import parser
parser().parse_args(["serve", "--host", "0.0.0.0", "--data-dir", "/data"])
"""


def names_of(requirements: list[str]) -> set[str]:
    """Return the names of distributions as package indexes write them."""
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def with_what_they_need(names: set[str]) -> set[str]:
    """Return distributions and, all the way down, those that they require here."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += names_of([text for text in _requires(name) if _holds_here(text)])
    return reached


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def _holds_here(text: str) -> bool:
    marker = Requirement(text).marker
    return marker is None or marker.evaluate({"extra": ""})


def imported(folder: Path) -> Iterator[str]:
    """Yield the top-level modules from outside that the files of a folder import."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("folder", ["server", "workers"])
def test_whatever_is_imported_is_declared(folder: str) -> None:
    declared = names_of([*DEPENDENCIES, *TEXT])
    owners = packages_distributions()
    for module in set(imported(ROOT / folder)) - HOUSE - sys.stdlib_module_names:
        distributions = {canonicalize_name(name) for name in owners[module]}
        assert distributions & declared, f"{module} of {distributions} is not declared"


def test_the_servers_image_installs_some_of_the_dependencies_as_they_are_declared() -> None:
    assert set(SERVER) < set(DEPENDENCIES)
    dockerfile = (ROOT / "server/Dockerfile").read_text()
    assert "pip install --no-cache-dir --group server" in dockerfile


def test_the_server_needs_nothing_but_its_group() -> None:
    allowed = with_what_they_need(names_of(SERVER)) | {"entroscope"}
    owners = packages_distributions()
    refused = [
        module
        for module, distributions in owners.items()
        if not allowed & {canonicalize_name(name) for name in distributions}
    ]
    assert {"torch", "diffusers", "transformers", "safetensors"} <= set(refused)
    command = [sys.executable, "-c", IMPORT_ALL]
    done = subprocess.run(command, input=json.dumps(refused), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_server_needs_everything_in_its_group() -> None:
    owners = packages_distributions()
    modules = set(imported(ROOT / "server")) - HOUSE - sys.stdlib_module_names
    needed = {canonicalize_name(name) for module in modules for name in owners[module]}
    assert names_of(SERVER) <= needed


def test_the_citation_has_the_version_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == DECLARED["project"]["version"]


def test_versions_that_a_dependency_is_declared_with_agree_wherever_it_is_declared() -> None:
    extras = DECLARED["project"]["optional-dependencies"].values()
    every = {text for texts in (DEPENDENCIES, SERVER, *extras) for text in texts}
    names = [canonicalize_name(Requirement(text).name) for text in every]
    assert sorted(set(names)) == sorted(names)
    assert all(re.search("[<>=]", text) for text in every)
