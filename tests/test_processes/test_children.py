"""Children die with their parent, by the kernel's help and without it."""

import os
import signal
import subprocess
import sys

import pytest
from processes import is_alive
from waiting import eventually

from entroscope.processes.children import WATCHED, spawn, stop

PARENT = """
import sys, threading
from entroscope.processes.children import spawn
child = spawn([sys.executable, "-c", {child!r}], watched={watched})
threading.Event().wait()
"""
CHILD = "import os, threading; print(os.getpid(), flush=True); threading.Event().wait()"

ways = pytest.mark.parametrize("watched", [True, False] if not WATCHED else [True])


@ways
@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_dies_with_its_parent(watched: bool, signal_: signal.Signals) -> None:
    program = PARENT.format(child=CHILD, watched=watched)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as said:
        child = int(said.readline())
    assert is_alive(child)
    parent.send_signal(signal_)
    parent.wait(10)
    eventually(lambda: not is_alive(child))


@ways
def test_a_child_can_be_stopped(watched: bool) -> None:
    process = spawn([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, watched=watched)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    stop(process)
    eventually(lambda: not is_alive(child))


def test_a_child_that_does_not_listen_is_killed() -> None:
    deaf = "import signal, threading; signal.signal(15, lambda *_: None); print(1, flush=True); "
    process = spawn(
        [sys.executable, "-c", deaf + "threading.Event().wait()"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert stop(process, grace_s=0.1) == -signal.SIGKILL


def test_ctrl_c_in_the_terminal_does_not_reach_a_child() -> None:
    process = spawn([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert os.getsid(process.pid) != os.getsid(0)
    stop(process)
