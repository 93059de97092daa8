"""The real program in a real browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from program import program
from visitor import Visitor

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; the tests are skipped where it is not installed."""
    for name in CHROMIUM:
        if path := shutil.which(name):
            return path
    pytest.skip("install chromium to run this test")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole program; its data lie in "data"."""
    return tmp_path_factory.mktemp("program")


@pytest.fixture(scope="session")
def address(chromium: str, folder: Path) -> Iterator[str]:
    """The address of the whole program: server, worker and local Redis."""
    with program(folder) as running:
        yield running.address


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
