"""A folder is one process's at a time; whoever comes second is told who has it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from entroscope.processes import folder_lock as module
from entroscope.processes.folder_lock import locked
from entroscope.protocol.errors import Unavailable

pytest.importorskip("fcntl", reason="this system has no such locks")

HOLDER = """
import threading
from pathlib import Path
from entroscope.processes.folder_lock import locked
with locked(Path({folder!r})):
    print("held", flush=True)
    threading.Event().wait()
"""


def test_the_second_is_told_which_process_is_the_first_and_its_death_frees_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    command = [sys.executable, "-c", HOLDER.format(folder=str(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match=f"uses {tmp_path}: process {first.pid} on "):
            with locked(tmp_path):
                pass
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_a_server_on_a_folder_in_use_ends_with_one_sentence(tmp_path: Path, redis_url: str) -> None:
    command = ["serve", "--redis-url", redis_url, "--port", "0", "--data-dir", str(tmp_path)]
    with locked(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "entroscope", *command],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2
    said = f"entroscope: another Entroscope uses {tmp_path}: process {os.getpid()} on "
    assert done.stderr.startswith(said) and done.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot use the folder"):
        with locked(tmp_path / "file" / "x"):
            pass
