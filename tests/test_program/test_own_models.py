"""A model of the user's own: what the handbook says of it works as it stands, down to the page."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import torch
from program import COMMAND, program
from publishing import golden, network, publish
from waiting import eventually

from entroscope.paths import default_models_file
from entroscope_workers.library.models_file import entry_of, read_tables
from entroscope_workers.library.registry import bundled_names, load_model

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "frontend/guide/own-model.md").read_text(encoding="utf-8")


def block(title: str) -> str:
    """Return the block of the page with that after its three backticks."""
    (found,) = re.findall(rf"^```{re.escape(title)}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The page's program, word for word."""
    (tmp_path / "my_model.py").write_text(block("python my_model.py"))
    return tmp_path / "my_model.py"


def typed(script: str, folder: Path) -> str:
    """Type a block's commands in a folder with a .venv; return what they print."""
    (folder / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "XDG_DATA_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_program_in_the_handbook_is_exact(example: Path) -> None:
    model = load_model("blobs", CPU, [str(example)])
    same = {"kind": "points", "means": [[-2, 0], [2, 0], [0, 3]], "std": 0.5}
    mixture = load_model("gaussian-mixture", CPU).bind(same, ())
    x = torch.randn((6, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.01, 0.1, 0.5, 1, 5, 50], dtype=torch.float64)
    question = (3 * x, sigma, torch.arange(6), torch.arange(6) % 3)
    torch.testing.assert_close(model.denoise(*question), mixture.denoise(*question))


def test_the_program_in_the_handbook_is_checked_and_measured_as_it_says(example: Path) -> None:
    (example.parent / "blobs.json").write_text('{"model": "blobs", "trajectories": 8}')
    found = typed(block("sh own program"), example.parent)
    assert "evaluations a second" in found and "fails" not in found
    result = json.loads((example.parent / "result.json").read_text())
    assert result["spec"]["model"] == "blobs"


def test_the_program_in_the_handbook_is_in_the_page(example: Path) -> None:
    with program(example.parent, "--models", f"{example},gaussian-mixture") as running:
        found = running.http.get("/api/models").json()["models"]
        assert {model["name"] for model in found} == {"blobs", "gaussian-mixture"}
        spec = {"model": "blobs", "trajectories": 8, "schedule": {"steps": 8}}
        run = running.http.post("/api/runs", json=spec).json()["id"]

        def done() -> bool:
            state = running.http.get(f"/api/runs/{run}").json()["state"]
            assert state != "failed"
            return bool(state == "done")

        eventually(done, 60)
        preview: httpx.Response = running.http.get(f"/api/runs/{run}/previews/7")
        assert preview.content.startswith(b"\xff\xd8")


def install(folder: Path, text: str) -> None:
    """Put a package with an entry point where a process with this PYTHONPATH finds it."""
    (folder / "weak.py").write_text(text)
    (folder / "weak-1.0.dist-info").mkdir()
    (folder / "weak-1.0.dist-info" / "METADATA").write_text("Name: weak\nVersion: 1.0\n")
    points = "[entroscope.models]\nblobs = weak:Blobs\n"
    (folder / "weak-1.0.dist-info" / "entry_points.txt").write_text(points)


def test_models_that_do_not_work_are_left_out_unless_they_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = "sigma, rows, labels):\n"
    weak = block("python my_model.py").replace(question, question + "        x[3:][rows]\n")
    install(tmp_path, weak)  # answers one question, and fails when many are asked at once
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    default_models_file().parent.mkdir(parents=True)
    default_models_file().write_text('[models.gone]\nfamily = "edm2"\npath = "nowhere"\n')
    with program(tmp_path) as running:
        found = running.http.get("/api/models").json()["models"]
        assert {model["name"] for model in found} == set(bundled_names())
        said = running.log.read_text()
        assert re.search(r"model 'blobs': IndexError: .*; it is not offered", said)
        assert re.search(r"model 'gone': path '.*nowhere' does not exist; it is not offered", said)
    command = (*COMMAND, "--no-browser", "--port", "0", "--data-dir", str(tmp_path / "data"))
    done = subprocess.run((*command, "--models", "blobs"), capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("entroscope: model 'blobs': ")


def test_the_list_in_the_handbook_is_a_list(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(block("toml models.toml"))
    ((name, table),) = read_tables(tmp_path / "models.toml").items()
    entry = entry_of(tmp_path / "models.toml", name, table)
    assert entry.path == tmp_path / "edm2-xs.safetensors" and entry.family == "edm2"


def test_a_published_network_comes_in_as_the_handbook_says(tmp_path: Path) -> None:
    for name, file in (("edm2-xs", "edm2_cond.npz"), ("edm2-xs-uncond", "edm2_uncond.npz")):
        config, state = golden(ROOT / "tests" / "data" / file)
        publish(tmp_path / f"{name}.pkl", network("Precond", config, state))
    (tmp_path / "names.txt").write_text("".join(f"class {index}\n" for index in range(10)))
    found = typed(block("sh own models"), tmp_path)
    assert "Precond, 63 tensors" in found
    assert "10 labels" in found and "evaluations a second" in found and "fails" not in found
