"""The real program in a real browser."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from visitor import Visitor
from waiting import eventually

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
#: The program loads torch and two models; the machine may be busy.
START_S = 120.0
PROGRAM = (sys.executable, "-c", "import sys; from entroscope.cli import main; sys.exit(main())")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; the tests are skipped where it is not installed."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    pytest.skip("install chromium to run this test")


@pytest.fixture(scope="session")
def address(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole program: server, worker and local Redis."""
    folder = tmp_path_factory.mktemp("program")
    log = folder / "log"
    options = ("--no-browser", "--port", "0", "--data-dir", str(folder / "data"))
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # the browser needs a core too
    with log.open("w") as output:
        program = subprocess.Popen(
            (*PROGRAM, *options), stdout=output, stderr=output, env=one_thread
        )
        try:
            found = eventually(lambda: _printed_address(log, program), START_S)
            eventually(lambda: httpx.get(f"{found}/api/workers").json()["workers"], START_S)
            yield found
        finally:
            program.terminate()
            program.wait(timeout=60)


def _printed_address(log: Path, program: subprocess.Popen[bytes]) -> str:
    assert program.poll() is None, log.read_text()
    for line in log.read_text().splitlines():
        if line.startswith("Entroscope: "):
            return line.split()[1]
    return ""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, for one file: Playwright's loop would keep asyncio from the tests of others."""
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    """A visitor whose browser has nothing to complain of in the end."""
    with browser.new_context() as context:
        visitor = Visitor(context, address)
        yield visitor
        assert not visitor.complaints


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: the folder ENTROSCOPE_SCREENSHOTS, else one that is thrown away."""
    folder = Path(os.environ.get("ENTROSCOPE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
