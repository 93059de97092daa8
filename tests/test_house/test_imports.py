"""The arrows of dependency: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER, WORKERS = ROOT / "server", ROOT / "workers"
HEAVY = {"torch", "diffusers", "transformers", "entroscope_workers"}

#: The files of the server's package that workers may use besides the protocol: Redis, and the
#: place of the user's own models.
REDIS_FILES = {
    "batch_queue",
    "children",
    "connect",
    "data_dir",
    "endings",
    "event_log",
    "keys",
    "presence",
    "queue_entries",
    "queue_reader",
    "run_store",
    "supervisor",
    "transactions",
}

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


def test_the_protocol_needs_pydantic_and_numpy_only() -> None:
    allowed = {"pydantic", "numpy", "entroscope"} | sys.stdlib_module_names
    for path in files(SERVER / "entroscope/protocol"):
        names = list(imports(path))
        assert set(map(top, names)) <= allowed, path
        own = [name for name in names if top(name) == "entroscope"]
        assert all(name.startswith("entroscope.protocol.") for name in own), path


def test_the_workers_use_the_protocol_and_the_redis_files_only() -> None:
    for path in files(WORKERS):
        for name in imports(path):
            if top(name) == "entroscope":
                part = name.split(".")[1]
                assert part == "protocol" or part in REDIS_FILES, (path, name)


def test_the_numerics_are_tensors_and_nothing_else() -> None:
    allowed = {"torch", "numpy", "entroscope_workers"} | sys.stdlib_module_names
    for path in files(WORKERS / "entroscope_workers/numerics"):
        names = list(imports(path))
        assert set(map(top, names)) <= allowed, path
        own = [name for name in names if top(name) == "entroscope_workers"]
        assert all(name.startswith("entroscope_workers.numerics.") for name in own), path


def test_models_know_neither_runner_nor_redis() -> None:
    forbidden = ("runner", "chain", "worker", "measure", "command", "pulse", "outbox")
    for path in files(WORKERS / "entroscope_workers/models"):
        for name in imports(path):
            assert not name.startswith(tuple(f"entroscope_workers.{f}" for f in forbidden)), path
            assert not name.startswith("redis"), path


@pytest.mark.parametrize(
    "module", ["entroscope.cli", "entroscope.api.app", "entroscope.api.server"]
)
def test_a_server_process_starts_without_torch(module: str) -> None:
    code = f"import {module}, sys; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
