"""Looking at the page on wide and narrow screens, in light and dark."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page
from visitor import WIDE, Scheme, Size

NARROW: Size = (390, 844)
EVERYWHERE = pytest.mark.parametrize(
    ("size", "scheme"),
    [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")],
    ids=["wide-light", "wide-dark", "narrow-light", "narrow-dark"],
)
KEPT = "ENTROSCOPE_SCREENSHOTS" in os.environ
OVERFLOW = "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"


def expect_to_fit(page: Page, size: Size) -> None:
    """A wide screen shows everything at once; a narrow one scrolls, but not sideways."""
    across, down = page.locator("html").evaluate(OVERFLOW)
    assert across == 0
    assert size == NARROW or down == 0


def photograph(page: Page, folder: Path, name: str, size: Size, scheme: Scheme) -> None:
    wide = size == WIDE
    page.screenshot(
        path=folder / f"{name}{'wide' if wide else 'narrow'}-{scheme}.png", full_page=not wide
    )
