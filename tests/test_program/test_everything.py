"""`entroscope` without a command: all of it starts, all of it stops, nothing is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from program import COMMAND, Program, alive, program
from waiting import eventually

MIXTURE = ("--models", "gaussian-mixture")
LONG = {"model": "gaussian-mixture", "trajectories": 20000, "schedule": {"steps": 512}}

needs_proc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Linux: it looks at processes in /proc"
)


def make(running: Program, spec: dict[str, Any]) -> str:
    response = running.http.post("/api/runs", json=spec)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def events_of(running: Program, run: str) -> Generator[dict[str, Any], None, None]:
    with running.http.stream("GET", f"/api/runs/{run}/events") as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_behind_when_it_stops(tmp_path: Path, how: signal.Signals) -> None:
    with program(tmp_path, *MIXTURE) as running:
        children = running.descendants()
        assert len(children) >= 2  # a worker and a Redis
        running.process.send_signal(how)
        running.process.wait(timeout=60)
        eventually(lambda: not any(map(alive, children)), 60)
        if how is not signal.SIGKILL:
            assert running.process.returncode == 0
            assert "Traceback" not in running.log.read_text()


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["id"] for event in events]


def steps(events: list[dict[str, Any]]) -> set[int]:
    return {event["step"] for event in events if event["type"] == "point"}


def test_an_unfinished_run_goes_on_at_the_next_start_after_kill_9(tmp_path: Path) -> None:
    if not (shutil.which("redis-server") or shutil.which("valkey-server")):
        pytest.skip("install redis-server (or valkey-server) to run this test")
    with program(tmp_path, *MIXTURE) as first:
        run = make(first, LONG)
        with closing(events_of(first, run)) as events:
            seen = list(takewhile(lambda event: event["type"] != "batch", events))
        first.process.kill()
        first.process.wait(timeout=60)
    with program(tmp_path, *MIXTURE) as second:
        ended = second.http.get(f"/api/runs/{run}").json()["state"] == "done"
        replayed = list(events_of(second, run))
    assert replayed[-1]["type"] == "done"
    # A run that has ended by now replays from the archive, which keeps the final points only; while
    # it goes on, a newer point of a step may stand for an older one.
    newer = {e["step"] for e in replayed if e["type"] == "point" and e["id"] > seen[-1]["id"]}
    replaced = {e["id"] for e in seen if e["type"] == "point" and (ended or e["step"] in newer)}
    kept = [event for event in seen if event["id"] not in replaced - set(ids(replayed))]
    assert ids(replayed)[: len(kept)] == ids(kept)
    assert steps(seen) <= steps(replayed)
    batches = [event["batch"] for event in replayed if event["type"] == "batch"]
    assert len(batches) == len(set(batches)) == replayed[-1]["batches"]


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with program(tmp_path, *MIXTURE) as running:
        (worker,) = running.http.get("/api/workers").json()["workers"]
        os.kill(worker["pid"], signal.SIGKILL)

        def others() -> bool:
            workers = running.http.get("/api/workers").json()["workers"]
            return any(other["pid"] != worker["pid"] for other in workers)

        eventually(others, 120)
        assert "another one takes its place" in running.log.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--models", "no-such-model"), "no model 'no-such-model'; there are "),
        (("--port", "99999"), "port: "),
        (("--data-dir", "/dev/null/x"), "/dev/null/x"),
    ],
)
def test_a_start_that_cannot_work_ends_with_one_sentence_and_status_2(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    arguments = ("--no-browser", "--port", "0", "--data-dir", str(tmp_path), *options)
    done = subprocess.run((*COMMAND, *arguments), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("entroscope: ") and said in lines[0]


def test_a_worker_that_starts_before_its_redis_waits_and_says_so() -> None:
    command = (*COMMAND, "work", "--redis-url", "redis://127.0.0.1:1", "--device", "cpu")
    worker = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert worker.stderr is not None
    with worker.stderr as said:
        line = said.readline()
        assert line.startswith("entroscope: waiting for Redis at redis://127.0.0.1:1: ")
        assert worker.poll() is None
        worker.terminate()
        assert said.read() == ""
    worker.wait(timeout=60)


@pytest.mark.parametrize("command", ["serve", "all"])
def test_a_redis_that_is_not_there_is_said_in_one_sentence(command: str, tmp_path: Path) -> None:
    url = "redis://127.0.0.1:1"
    arguments = {
        "serve": ["serve", "--redis-url", url, "--data-dir", str(tmp_path)],
        "all": ["--no-browser", "--data-dir", str(tmp_path)],
    }[command]
    done = subprocess.run(
        (*COMMAND, *arguments),
        env={**os.environ, "REDIS_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
