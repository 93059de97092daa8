"""`entroscope run`: a result file, or one sentence and status 2."""

import json
import subprocess
from pathlib import Path

import pytest
from program import COMMAND

from entroscope_workers import measure


def run(folder: Path, spec: str, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "spec.json").write_text(spec)
    arguments = ("run", str(folder / "spec.json"), "--out", str(folder / "result.json"), *options)
    return subprocess.run((*COMMAND, *arguments), capture_output=True, text=True, timeout=300)


def test_a_spec_becomes_the_result_that_python_gives(tmp_path: Path) -> None:
    spec = {"model": "gaussian-mixture", "trajectories": 64, "schedule": {"steps": 16}}
    done = run(tmp_path, json.dumps(spec), "--device", "cpu")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["curves"] == json.loads(json.dumps(measure("gaussian-mixture", spec)["curves"]))
    assert "100%" in done.stderr  # the progress bar
    assert "entropy_bounds" in done.stderr


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{", "is not JSON"),
        ('{"trajectories": NaN, "model": "gaussian-mixture"}', "NaN"),
        ('{"model": "gaussian-mixture", "trajectories": 0}', "trajectories"),
        ('{"model": "gaussian-mixture", "colour": 1}', "colour"),
        ('{"model": "gaussian-mixture", "schedule": {"sigma_max": 0.001}}', "sigma_max"),
        ('{"model": "no-such-model"}', "no-such-model"),
        ('{"model": "gaussian-mixture", "params": {"kind": "cube"}}', "params"),
        ("[1]", "the document"),
    ],
)
def test_a_spec_that_is_off_is_one_sentence_and_no_result(
    tmp_path: Path, spec: str, said: str
) -> None:
    done = run(tmp_path, spec)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert all(line.startswith("entroscope: ") for line in done.stderr.splitlines())
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_a_device_that_is_not_there_is_one_sentence(tmp_path: Path, device: str) -> None:
    done = run(tmp_path, '{"model": "gaussian-mixture"}', "--device", device)
    assert done.returncode == 2
    assert device in done.stderr and "Traceback" not in done.stderr


def test_every_command_explains_itself() -> None:
    for command in ((), ("serve",), ("work",), ("run",)):
        done = subprocess.run((*COMMAND, *command, "--help"), capture_output=True, text=True)
        assert done.returncode == 0 and len(done.stdout) > 200


def test_a_guided_spec_is_compared_with_its_unguided_twin(tmp_path: Path) -> None:
    spec = {"model": "gaussian-mixture", "trajectories": 32, "schedule": {"steps": 12}}
    done = run(tmp_path, json.dumps({**spec, "guidance": {"scale": 2}}), "--compare")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    study = result["studies"]["redistribution"]
    assert study["trajectories"] == 32 and study["guidance"]["base"] is None
