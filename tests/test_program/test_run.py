"""`entroscope run`: a result file, or one sentence and status 2."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from program import COMMAND

from entroscope.processes.local_redis import LocalRedis
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


SHARED: dict[str, Any] = {
    "model": "gaussian-mixture",
    "trajectories": 64,
    "schedule": {"steps": 16},
    "companions": 0,
}


def test_a_sweep_becomes_the_results_of_its_runs_in_order(tmp_path: Path) -> None:
    vary: list[dict[str, Any]] = [
        {"seed": 1},
        {"params": {"kind": "pair", "dimension": 3}, "schedule": {"steps": 8}},
    ]
    sweep = {"spec": SHARED, "vary": vary, "title": "two"}
    done = run(tmp_path, json.dumps(sweep), "--device", "cpu")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "result.json").read_text())
    results = document.pop("results")
    assert document == {"schema": 1, **sweep}
    alone = [{**SHARED, **patch} for patch in vary]
    for result, spec in zip(results, alone, strict=True):
        same = measure("gaussian-mixture", spec)
        assert result["curves"] == json.loads(json.dumps(same["curves"]))
    assert "100%" in done.stderr
    assert done.stderr.count("entropy_bounds") == 2


@pytest.mark.parametrize(
    ("vary", "options", "said"),
    [
        ([{}, {"trajectories": 1}], (), ["vary.1.trajectories", ", got 1"]),
        ([{}, {"model": "no-such-model"}], (), ["vary.1.model", '"no-such-model"']),
        ([{}] * 10, ("--max-evaluations", "9000"), ["vary", "12,288", "9,000", '"10 runs"']),
    ],
)
def test_a_sweep_that_is_off_is_one_sentence_and_no_result(
    tmp_path: Path, vary: list[object], options: tuple[str, ...], said: list[str]
) -> None:
    done = run(tmp_path, json.dumps({"spec": SHARED, "vary": vary}), *options)
    assert done.returncode == 2
    assert all(words in done.stderr for words in said), done.stderr
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


def test_labelled_data_come_from_a_folder_and_stand_in_the_result(tmp_path: Path) -> None:
    for label in ("Bag", "Coat"):
        (tmp_path / "data" / label).mkdir(parents=True)
        Image.new("L", (28, 28), 90).save(tmp_path / "data" / label / "a.png")
    pair = [{"name": label, "labels": [label]} for label in ("Bag", "Coat")]
    spec = {"model": "fashion-mnist", "paths_from": "data", "partitions": {"pair": pair}}
    small = {"trajectories": 2, "schedule": {"steps": 3}}
    done = run(tmp_path, json.dumps(spec | small), "--data", str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["provenance"]["data"]["part"] == "data"
    assert result["curves"]["pair"]["calibration"]["cross_entropy_corrected"][1] is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("nowhere", "there is no folder nowhere"),
        ("gaussian-mixture=nowhere", "'gaussian-mixture' takes no folder of pictures"),
    ],
)
def test_data_that_are_off_are_one_sentence(tmp_path: Path, data: str, said: str) -> None:
    model = "gaussian-mixture" if "=" in data else "fashion-mnist"
    spec = json.dumps({"model": model, "paths_from": "data"})
    done = run(tmp_path, spec, "--data", data)
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_worker_with_bad_data_ends_with_one_sentence(
    tmp_path: Path, fake_redis: LocalRedis
) -> None:
    options = ("--redis-url", fake_redis.url, "--models", "fashion-mnist", "--device", "cpu")
    (tmp_path / "Hat").mkdir()
    command = (*COMMAND, "work", *options, "--data", str(tmp_path))
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "no class is called 'Hat'" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_guided_spec_is_compared_with_its_unguided_twin(tmp_path: Path) -> None:
    spec = {"model": "gaussian-mixture", "trajectories": 32, "schedule": {"steps": 12}}
    done = run(tmp_path, json.dumps({**spec, "guidance": {"scale": 2}}), "--compare")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    study = result["studies"]["redistribution"]
    assert study["trajectories"] == 32 and study["guidance"]["base"] is None


@pytest.mark.parametrize(("policy", "expected"), [(None, "10000"), ("ACTIVE", "None")])
def test_threads_that_wait_leave_the_processor_unless_one_has_said_how_they_wait(
    policy: str | None, expected: str
) -> None:
    told = {} if policy is None else {"OMP_WAIT_POLICY": policy}
    kept = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    code = (
        "import os; from entroscope.cli import main;"
        "main(['run', 'nowhere.json', '--out', 'out.json']);"
        "print(os.environ.get('GOMP_SPINCOUNT'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **told}, capture_output=True, text=True
    )
    assert done.stdout.strip() == expected
