"""What the packages may import from outside the house; test_rooms.py has the arrows inside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER, WORKERS = ROOT / "server", ROOT / "workers"
HEAVY = {"torch", "diffusers", "transformers", "entroscope_workers"}

#: They start commands of the workers' package, and import it only there.
COMMAND_LINES = ("cli.py", "cli_models.py")


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports, for types alone or not."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, folder
    return found


def top(name: str) -> str:
    return name.partition(".")[0]


def test_the_server_imports_neither_torch_nor_the_workers_but_in_cli() -> None:
    for path in files(SERVER):
        if path.name not in COMMAND_LINES:
            assert HEAVY.isdisjoint(map(top, imports(path))), path


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_cli_imports_the_workers_only_inside_the_commands_that_need_them(name: str) -> None:
    tree = ast.parse((SERVER / "entroscope" / name).read_text())
    at_top: list[ast.stmt] = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert "entroscope_workers" not in ast.unparse(ast.Module(at_top, []))


def test_what_runs_mean_needs_pydantic_numpy_and_jsonschema_only() -> None:
    allowed = {"pydantic", "numpy", "jsonschema", "referencing", "entroscope"}
    allowed |= sys.stdlib_module_names
    for path in [*files(SERVER / "entroscope/protocol"), *files(SERVER / "entroscope/measurement")]:
        assert set(map(top, imports(path))) <= allowed, path


def test_the_numerics_are_tensors_and_nothing_else() -> None:
    allowed = {"torch", "numpy", "entroscope_workers"} | sys.stdlib_module_names
    for path in files(WORKERS / "entroscope_workers/numerics"):
        assert set(map(top, imports(path))) <= allowed, path


@pytest.mark.parametrize(
    "module", ["entroscope.cli", "entroscope.api.app", "entroscope.api.server"]
)
def test_a_server_process_starts_without_torch(module: str) -> None:
    code = f"import {module}, sys; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
