"""Somebody at a browser, and what one does on the page."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

Scheme = Literal["light", "dark"]
Size = tuple[int, int]
WIDE: Size = (1440, 900)
#: A busy machine may take this long for a run of a few seconds.
DONE_MS = 1_200_000
#: The curve that is drawn last is the one in focus.
CURVE = "element => { const t = element.data ?? []; return t.length ? t.at(-1).y : []; }"


@dataclass
class Visitor:
    """Somebody who looks at the page, and what their browser complained of.

    Attributes:
        expected: what complaints that belong to the test say.
    """

    context: BrowserContext
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: str | None = None

    def open(self, path: str = "/", scheme: Scheme = "light", size: Size = WIDE) -> Page:
        """Open the page and wait until it has offered its models."""
        page = self.read(path, scheme, size)
        page.locator("#model option").first.wait_for(state="attached")
        return page

    def read(self, path: str, scheme: Scheme = "light", size: Size = WIDE) -> Page:
        """Open any address of the program."""
        page = self.context.new_page()
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.set_default_timeout(60_000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.address + path)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        known = self.expected is not None and self.expected in message.text
        if message.type in ("error", "warning") and not known:
            self.complaints.append(message.text)


def prepare(page: Page, model: str, **fields: str) -> None:
    """Fill the form and wait for its price."""
    page.select_option("#model", model)
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    expect(page.locator("#cost")).to_contain_text("evaluations")


def begin(page: Page) -> str:
    """Press Run; return the address of the run."""
    before = page.url
    page.click("#run")
    expect(page).not_to_have_url(before)
    expect(page).to_have_url(re.compile(r"#/runs/[0-9a-f]+"))
    return page.url


def begin_short(page: Page) -> str:
    """Begin a run that takes a moment."""
    prepare(page, "gaussian-mixture", trajectories="64", steps="16")
    return begin(page)


def begin_long(page: Page) -> str:
    """Begin a run that does not end by itself while a test lasts."""
    prepare(page, "gaussian-mixture", trajectories="1000000", steps="96")
    return begin(page)


def state(page: Page) -> Locator:
    return page.locator("#run-state")


def expect_done(page: Page) -> None:
    expect(state(page)).to_have_text("done", timeout=DONE_MS)


def curve(page: Page, chart: str = "entropy") -> list[Any]:
    """Return the curve in focus as it is drawn."""
    values: list[Any] = page.locator(f"#{chart}").evaluate(CURVE)
    return values


def measured(page: Page) -> int:
    """Return at how many noise levels the curve in focus is drawn."""
    return sum(value is not None for value in curve(page))


def wait_for_points(page: Page, points: int) -> None:
    expect(page.locator("#entropy .points path").nth(points - 1)).to_be_attached()
