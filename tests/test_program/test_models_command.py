"""`entroscope models add`, `list` and `check`, as one types them."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hub import hub
from program import COMMAND
from tiny import write_tiny

from entroscope.cli import main
from entroscope.paths import default_models_file
from entroscope_workers.library.models_file import read_tables
from entroscope_workers.models.families.fashion_mnist import CHECKPOINT

ADD = ("models", "add", "garments", "--family", "fashion-mnist", "--path", str(CHECKPOINT))
#: A model with every fault a check can find.
FAULTY = """
import numpy as np, torch
from entroscope.protocol.models import ModelInfo

class Faulty:
    info = ModelInfo(name="faulty", family="own", title="Faulty", labels=("a", "b"), shape=(2,),
                     unconditional=True)
    def __init__(self, device):
        self.device, self.dtype, self.calls = device, torch.float32, 0
    def bind(self, params, labels):
        return self
    def start(self, noise, uniform, sigma, prior):
        return sigma * noise
    def denoise(self, x, sigma, rows, labels):
        self.calls += 1
        if len(rows) == 1:
            return torch.zeros(1, 2)
        low = torch.full((len(rows), 3 if sigma[0] > 79 else 2), float(self.calls))
        return low / 0 if sigma[0] > 79 else low
    def pictures(self, x):
        raise RuntimeError("no picture\\nof this")

MODELS = {"faulty": Faulty}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that ends with status 2 and one sentence; return the sentence."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("entroscope: ") and said.err.count("\n") == 1
    return said.err


def test_a_model_that_was_added_is_listed_checked_and_offered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(ADD) == 0
    assert str(default_models_file()) in capsys.readouterr().out
    assert main(("models", "list")) == 0
    (row,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith("garments")]
    assert row.split()[1:] == ["fashion-mnist", str(default_models_file()), "ok"]
    assert main(("models", "check", "garments", "--device", "cpu")) == 0
    found = capsys.readouterr().out
    assert "data (1, 28, 28), 10 labels, 1,912,916 weights, 7.3 MiB" in found
    assert found.count("\nok ") == 8 and "fails" not in found
    assert "evaluations a second on cpu" in found


def test_what_is_added_is_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "names.txt", "vae"):
        (tmp_path / name).write_text("")
    said = "--path a --unconditional b --labels names.txt --vae vae --dtype float16 --title T"
    options = ("--option", "blocks=3", "--option", "mode=fast", "--file", "my.toml")
    assert main(("models", "add", "x", "--family", "fashion-mnist", *said.split(), *options)) == 0
    assert read_tables(tmp_path / "my.toml") == {
        "x": {
            "family": "fashion-mnist",
            "path": str(tmp_path / "a"),
            "unconditional": str(tmp_path / "b"),
            "labels": str(tmp_path / "names.txt"),
            "vae": str(tmp_path / "vae"),
            "dtype": "float16",
            "title": "T",
            "options": {"blocks": 3, "mode": "fast"},
        }
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--family", "edm9"), "no family 'edm9'; there are "),
        (("--path", "nowhere"), "path '.*nowhere' does not exist"),
        (("--labels", "no.txt"), "labels '.*no.txt' does not exist"),
        (("--dtype", "float8"), "dtype: .*, got 'float8'"),
        (("--option", "blocks"), "--option: expected KEY=VALUE, got 'blocks'"),
        (("--hub", "a/b"), "either --path or --hub"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(
    capsys: pytest.CaptureFixture[str], change: tuple[str, str], said: str
) -> None:
    assert re.search(said, complaint(capsys, *ADD, *change))
    assert not default_models_file().exists()


def test_a_name_is_added_once(capsys: pytest.CaptureFixture[str]) -> None:
    taken = ("models", "add", "gaussian-mixture", *ADD[3:])
    assert "there is a model 'gaussian-mixture' already" in complaint(capsys, *taken)
    assert main(ADD) == 0
    capsys.readouterr()
    assert "a table [models.garments] already" in complaint(capsys, *ADD)


def test_a_model_of_a_hub_is_downloaded_without_its_pickles_and_used(tmp_path: Path) -> None:
    entry = write_tiny("diffusers-unet", tmp_path / "served")
    assert entry.path is not None
    (entry.path / "weights.bin").write_bytes(b"a pickle")
    add = ("models", "add", "fetched", "--family", "diffusers-unet", "--hub", "me/tiny")
    with hub(entry.path, "me/tiny") as address:
        done = subprocess.run(
            (*COMMAND, *add),
            env={**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    folder = default_models_file().parent / "models" / "fetched"
    assert read_tables(default_models_file())["fetched"]["path"] == str(folder)
    assert not (folder / "weights.bin").exists()
    assert main(("models", "check", "fetched", "--device", "cpu")) == 0


def test_a_hub_that_cannot_be_reached_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub = ("models", "add", "x", "--family", "fashion-mnist", "--hub", "no/such-model")
    assert "--hub: cannot download 'no/such-model': " in complaint(capsys, *hub)
    assert not default_models_file().exists()


def test_a_list_says_what_is_wrong_with_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[models.x]\nfamily = "fashion-mnist"\npath = "gone"\n[models.y]\ncolour = 1\n')
    assert main(("models", "list", "--models", str(file))) == 0
    found = capsys.readouterr().out
    assert [row.split()[-1] for row in found.splitlines()[1:3]] == ["fault", "fault"]
    assert f"path '{tmp_path}/gone' does not exist" in found
    assert f"{file}: models.y: family: Field required" in found


def test_a_check_names_every_fault_of_a_model_and_has_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "faulty.py"
    file.write_text(FAULTY)
    assert main(("models", "check", "faulty", "--models", str(file), "--device", "cpu")) == 1
    found = capsys.readouterr().out
    failed = {line.split(":")[0][6:].strip() for line in found.splitlines() if "fails" in line}
    assert failed == {
        "finite at sigma_max",
        "D -> x as sigma -> 0",
        "independent of the batch",
        "labels matter",
        "deterministic",
        "previews",
    }
    assert "RuntimeError: no picture" in found and "evaluations a second" not in found


def test_a_check_of_no_model_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no model 'nobody'; there are " in complaint(capsys, "models", "check", "nobody")
