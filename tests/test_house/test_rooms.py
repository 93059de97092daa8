"""The rooms of the house: who may import whom, how many floors there are, and no circle."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"entroscope": ROOT / "server", "entroscope_workers": ROOT / "workers"}

#: Rooms from the top down, and those that each may import.
SERVER = {
    "cli": {"api", "processes", "client", "broker", "protocol", "settings", "paths"},
    "api": {"runs", "streaming", "broker", "measurement", "protocol", "settings", "paths"},
    "runs": {"streaming", "broker", "measurement", "protocol", "settings"},
    "streaming": {"broker", "measurement", "protocol"},
    "broker": {"measurement", "protocol"},
    "client": {"measurement", "protocol", "paths"},
    "processes": {"protocol"},
    "measurement": {"protocol"},
    "protocol": set(),
    "settings": {"protocol"},
    "paths": set(),
}
MEASUREMENT = {
    "curves": {"plan", "params"},
    "plan": {"params"},
    "params": {"mixtures"},
    "mixtures": set(),
}
WORKERS = {
    "commands": {"worker", "library", "importing", "sampling", "models"},
    "worker": {"sampling", "models"},
    "training": {"library", "models", "numerics"},
    "library": {"sampling", "models"},
    "sampling": {"models", "numerics"},
    "models": {"numerics"},
    "importing": set(),
    "numerics": set(),
}
#: What each room of the workers may use of the server's package.
OF_THE_SERVER = {
    "commands": {"broker", "measurement", "processes", "protocol", "paths"},
    "worker": {"broker", "measurement", "protocol"},
    "library": {"measurement", "protocol", "paths"},
    "sampling": {"measurement", "protocol"},
    "models": {"measurement", "protocol"},
    "training": {"protocol"},
    "importing": set(),
    "numerics": set(),
}
#: Files at the top of the server's package that make up the room "cli".
COMMAND_LINE = {"__main__", "cli", "cli_models", "launcher"}


@cache
def modules() -> dict[str, Path]:
    """Return every module of both packages by its full name."""
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for name, folder in PACKAGES.items()
        for path in sorted((folder / name).rglob("*.py"))
    }


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of the house that a file imports, for types alone or not."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in modules():
                name = name.rpartition(".")[0]
            if name:
                yield name


def room(module: str) -> str | None:
    """Return the room a module of a package is in, e.g. "runs"; None for a package itself."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if package == "entroscope" and name in COMMAND_LINE:
        return "cli"
    return name or None


def arrows(package: str) -> set[tuple[str, str, str]]:
    """Return (module, package it imports from, room there) wherever a room is left."""
    return {
        (module, name.partition(".")[0], target)
        for module, path in modules().items()
        if module.partition(".")[0] == package and room(module)
        for name in imported(path)
        if (target := room(name)) and (name.partition(".")[0], target) != (package, room(module))
    }


@pytest.mark.parametrize(
    ("package", "allowed"), [("entroscope", SERVER), ("entroscope_workers", WORKERS)]
)
def test_a_room_imports_only_the_rooms_below_it(package: str, allowed: dict[str, set[str]]) -> None:
    rooms = {room(module) for module in modules() if module.startswith(f"{package}.")}
    assert rooms == set(allowed)
    for module, other, target in arrows(package):
        if other == package:
            assert target in allowed[room(module) or ""], f"{module} imports {target}"


def test_the_workers_use_of_the_server_what_their_room_may() -> None:
    for module, other, target in arrows("entroscope_workers"):
        if other == "entroscope":
            assert target in OF_THE_SERVER[room(module) or ""], f"{module} imports {target}"


def test_the_server_imports_the_workers_in_its_command_line_only() -> None:
    for module, other, _ in arrows("entroscope"):
        assert other == "entroscope" or room(module) == "cli", module


def test_the_rooms_of_measurement_are_curves_over_plan_over_params_over_mixtures() -> None:
    for module, path in modules().items():
        parts = module.split(".")
        if parts[:2] != ["entroscope", "measurement"] or len(parts) < 3:
            continue
        for name in imported(path):
            target = name.split(".")
            if target[1:2] == ["measurement"] and target[2] != parts[2]:
                assert target[2] in MEASUREMENT[parts[2]], f"{module} imports {name}"


@pytest.mark.parametrize(
    ("allowed", "floors", "most"), [(SERVER, 7, 40), (WORKERS, 5, 15)], ids=["server", "workers"]
)
def test_the_house_stays_low(allowed: dict[str, set[str]], floors: int, most: int) -> None:
    @cache
    def floor(name: str) -> int:
        return 1 + max((floor(below) for below in allowed[name]), default=0)

    assert max(map(floor, allowed)) <= floors
    assert sum(map(len, allowed.values())) <= most


def test_no_two_files_import_each_other_however_far_around() -> None:
    graph = {m: {n for n in imported(path) if n != m} for m, path in modules().items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module in done:
            return
        for name in graph[module]:
            # A package's face is imported with every file below it; that is no circle.
            if not module.startswith(f"{name}."):
                visit(name, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_every_room_says_what_happens_in_it_and_what_may_not() -> None:
    for module, path in modules().items():
        if path.name == "__init__.py" and "." in module:
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            assert len(text.split()) >= 12, f"{module}: {text!r}"


def test_no_room_has_more_than_22_files_side_by_side() -> None:
    folders = [path.parent for path in modules().values()]
    crowded = {str(folder): n for folder in folders if (n := folders.count(folder)) > 22}
    assert crowded == {}
