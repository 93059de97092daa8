"""Whether a change of the program has changed a number: results of every kind, kept and compared.

    python tests/benchmarks/same_results.py record FOLDER
    python tests/benchmarks/same_results.py compare FOLDER OTHER

`record` runs 16 specs over every kind of run in the foreground and the same program as a server,
and writes one JSON file for each result and each route. Times, ids and process names are left out.
`compare` prints every file that differs and where first, and ends with status 1 where one does.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from program import program
from waiting import eventually

Document = dict[str, Any]
LINE: Document = {"trajectories": 48, "schedule": {"steps": 12, "sigma_max": 40, "sigma_min": 0.1}}
GARMENTS: Document = {
    "model": "fashion-mnist",
    "trajectories": 20,
    "schedule": {"steps": 10},
    "batch_sizes": {"first": 4, "largest": 8},
}
MIXTURE: Document = {"model": "gaussian-mixture", **LINE}
TREE: list[Document] = [
    {
        "name": "left",
        "groups": [{"name": "far", "labels": ["-8"]}, {"name": "near", "labels": ["-4"]}],
    },
    {"name": "right", "labels": ["6", "8"]},
]
EACH: Document = {"partitions": {"rest": "each-vs-rest"}}
KINDS: list[Document] = [
    {"name": "tops", "labels": ["T-shirt/top", "Shirt", "Coat", "Pullover"]},
    {"name": "shoes", "labels": ["Sandal", "Sneaker", "Ankle boot"]},
]
SPECS: dict[str, Document] = {
    "plain": MIXTURE,
    "tree": MIXTURE | {"partitions": {"classes": None, "tree": TREE}},
    "each-classes": MIXTURE | EACH,
    "each-rebuilt": MIXTURE | EACH | {"complement": "rebuilt", "pair_prior": 0.3},
    "each-unconditional": MIXTURE | EACH | {"complement": "unconditional"},
    "random-class": MIXTURE
    | EACH
    | {"complement": "unconditional", "complement_paths": "random-class"},
    "guided-model": MIXTURE | {"guidance": {"scale": 3, "interval": [0.5, 9]}},
    "guided-guided": MIXTURE | {"guidance": {"scale": 2, "decoder": "guided"}},
    "feedback": MIXTURE | {"guidance": {"scale": 2, "method": "feedback"}},
    "pruned": MIXTURE
    | {"params": {"kind": "random", "components": 20, "dimension": 8}, "prune_below": 0.001},
    "data-paths": MIXTURE | {"paths_from": "data"},
    "studies": MIXTURE
    | {
        "schedule": {"sigmas": [40, 20, 10, 5, 2, 1, 0.5]},
        "studies": {"branching": {"sigma": 5.0, "repeats": 4}, "switch": {"levels": 3}},
    },
    "target": MIXTURE | {"target_se_bits": 0.08, "trajectories": 512, "prior": "uniform"},
    "garments": GARMENTS | {"partitions": {"classes": None, "kinds": KINDS}},
    "garments-guided": GARMENTS
    | {"guidance": {"scale": 2, "decoder": "guided"}, "prune_below": 0.0003},
    "garments-twins": GARMENTS | {"previews": {"samples": 8, "paired": True}, "seed": 7},
}
SWEEP: Document = {
    "spec": {"model": "gaussian-mixture", "params": {"kind": "pair"}, "trajectories": 32},
    "vary": [{"params": {"dimension": d}} for d in (4, 64)],
}
#: What differs from one start of the program to the next.
VOLATILE = re.compile(
    "seconds|.*_ms|.*_s|pid|host|name_of_worker|worker|workers|versions|time|left|position|since.*"
    "|created.*|started.*|finished.*|pairs_per_second|rate|device|version|model_size|memory.*|size"
)
ID = re.compile(r"\b[0-9a-f]{12,32}\b|\b\d{13,}-\d+\b|(?<=runs/)[\w-]{8,}|(?<=sweeps/)[\w-]{8,}")


def settled(value: Any) -> Any:
    """Return a document without what changes from start to start."""
    if isinstance(value, dict):
        kept = {k: settled(v) for k, v in value.items() if not VOLATILE.fullmatch(k)}
        return {ID.sub("ID", k): v for k, v in kept.items() if k not in ("id", "run", "base")}
    if isinstance(value, list):
        return [settled(item) for item in value]
    return ID.sub("ID", value) if isinstance(value, str) else value


def write(folder: Path, name: str, document: Any) -> None:
    text = json.dumps(settled(document), sort_keys=True, indent=1)
    (folder / f"{re.sub('[^a-z0-9.-]+', '_', name.lower())}.json").write_text(text + "\n")
    print(name, file=sys.stderr)


def record_foreground(folder: Path) -> None:
    """Run every spec without a server."""
    from entroscope_workers import measure, measure_both

    for name, spec in SPECS.items():
        write(folder, f"result.{name}", measure(spec["model"], spec))
    both = measure_both("gaussian-mixture", SPECS["guided-model"])
    write(folder, "result.comparison", both)


def record_routes(folder: Path) -> None:
    """Ask every route of a server that has run some of the specs."""
    with tempfile.TemporaryDirectory() as temporary, program(Path(temporary)) as started:
        http = started.http

        def get(path: str) -> Any:
            response = http.get(path)
            assert response.status_code == 200, response.text
            return response.json() if "json" in response.headers["content-type"] else response.text

        def post(path: str, document: Any, expected: int = 201) -> Document:
            response = http.post(path, json=document)
            assert response.status_code == expected, response.text
            return dict(response.json())

        for path in ("models", "presets", "schema/spec", "schema/events", "sweeps/presets"):
            write(folder, f"route.{path}", get(f"/api/{path}"))
        write(folder, "route.openapi", get("/openapi.json"))
        _record_runs(folder, get, post)


def _record_runs(folder: Path, get: Callable[[str], Any], post: Callable[..., Document]) -> None:
    def done(id: str) -> str:
        eventually(lambda: get(f"/api/runs/{id}")["state"] == "done", 120)
        return id

    runs = {name: done(post("/api/runs", SPECS[name])["id"]) for name in list(SPECS)[:13]}
    guided = runs["guided-model"]
    twin = SPECS["plain"] | {"batch_sizes": get(f"/api/runs/{guided}")["spec"]["batch_sizes"]}
    base = done(post("/api/runs", twin)["id"])
    sweep = post("/api/sweeps", SWEEP)["id"]
    eventually(lambda: all(r["state"] == "done" for r in get(f"/api/runs?parent={sweep}")["runs"]))
    more = done(post(f"/api/runs/{runs['plain']}/extend", {"trajectories": 96})["id"])
    fine = done(post(f"/api/runs/{runs['plain']}/refine", {"steps": 16})["id"])
    for name, id in {**runs, "extended": more, "refined": fine}.items():
        for path in ("", "/result", "/curves.csv"):
            write(folder, f"route.run{path}.{name}", get(f"/api/runs/{id}{path}"))
    write(
        folder, "route.result.prior", get(f"/api/runs/{runs['each-rebuilt']}/result?pair_prior=.1")
    )
    write(folder, "route.csv.nats", get(f"/api/runs/{more}/curves.csv?unit=nats&axis=vp_time"))
    write(folder, "route.comparison", get(f"/api/comparisons?run={guided}&base={base}"))
    write(folder, "route.sweep", get(f"/api/sweeps/{sweep}"))
    write(folder, "route.sweeps", get("/api/sweeps"))
    write(folder, "route.runs", get("/api/runs?limit=5"))
    write(folder, "route.plan", post("/api/runs/plan", SPECS["tree"], 200))
    write(folder, "route.sweep-plan", post("/api/sweeps/plan", SWEEP, 200))
    write(folder, "route.refused", post("/api/runs", {"model": "x", "seed": -1}, 422))
    write(folder, "route.unknown", post("/api/runs/nothing/cancel", {}, 404))


def differences(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """Yield where two documents differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key not in a or key not in b:
                yield f"{path}/{key}: only in the {'second' if key not in a else 'first'}"
            else:
                yield from differences(a[key], b[key], f"{path}/{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, pair in enumerate(zip(a, b, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
    elif a != b:
        yield f"{path}: {json.dumps(a)[:80]} and {json.dumps(b)[:80]}"


def compare(one: Path, other: Path, shown: int) -> int:
    """Print what differs between two folders; return how many files do."""
    names = sorted({path.name for folder in (one, other) for path in folder.glob("*.json")})
    differing = 0
    for name in names:
        files = [folder / name for folder in (one, other)]
        if not all(file.is_file() for file in files):
            places = ["missing in one of the folders"]
        else:
            places = list(differences(*(json.loads(file.read_text()) for file in files)))
        differing += bool(places)
        for place in places[:shown]:
            print(f"{name}: {place}")
    print(f"{len(names)} files, {differing} differ")
    return differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record")
    recording.add_argument("folder", type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("folders", type=Path, nargs=2)
    comparing.add_argument("--shown", type=int, default=5, help="differences printed a file")
    options = parser.parse_args()
    if options.command == "compare":
        return int(compare(options.folders[0], options.folders[1], options.shown) > 0)
    options.folder.mkdir(parents=True, exist_ok=True)
    record_foreground(options.folder)
    record_routes(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
