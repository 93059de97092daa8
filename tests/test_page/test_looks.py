"""How the page looks: wide and narrow, light and dark.

ENTROSCOPE_SCREENSHOTS=FOLDER keeps the pictures, of a larger run; the README shows wide-dark.png.
"""

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect
from visitor import Visitor, begin, expect_done, prepare

Scheme = Literal["light", "dark"]
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
KEPT = "ENTROSCOPE_SCREENSHOTS" in os.environ
RUN = {"trajectories": "256", "steps": "32"} if KEPT else {"trajectories": "8", "steps": "10"}
OVERFLOW = "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"
BACKGROUND = "e => getComputedStyle(e).backgroundColor"


@pytest.fixture(scope="module")
def finished() -> dict[str, str]:
    """Where the run that is photographed will be, once it has been made."""
    return {}


def photographed(visitor: Visitor, finished: dict[str, str]) -> Page:
    """Open a finished run of the image model; the first to ask makes it."""
    if "path" in finished:
        page = visitor.open(finished["path"])
    else:
        page = visitor.open()
        prepare(page, "fashion-mnist", **RUN)
        finished["path"] = begin(page).removeprefix(visitor.address)
    expect_done(page)
    expect(page.locator(".badge")).to_have_count(5)
    expect(page.locator("#profiles .lines path").first).to_be_attached()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_run_fits_its_screen(
    visitor: Visitor, finished: dict[str, str], pictures: Path, size: str, scheme: Scheme
) -> None:
    width, height = SIZES[size]
    page = photographed(visitor, finished)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    across, down = page.locator("html").evaluate(OVERFLOW)
    assert across == 0
    assert size == "narrow" or down == 0
    page.screenshot(path=pictures / f"{size}-{scheme}.png", full_page=size == "narrow")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_before_the_first_run_fits_its_screen(
    visitor: Visitor, pictures: Path, size: str, scheme: Scheme
) -> None:
    width, height = SIZES[size]
    page = visitor.open()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator("#cost")).to_contain_text("evaluations")
    across, down = page.locator("html").evaluate(OVERFLOW)
    assert across == 0
    assert size == "narrow" or down == 0
    page.screenshot(path=pictures / f"first-{size}-{scheme}.png", full_page=size == "narrow")


def test_the_page_is_dark_where_the_system_is(visitor: Visitor) -> None:
    page = visitor.open()
    page.emulate_media(color_scheme="light")
    light = page.locator("body").evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark")
    assert page.locator("body").evaluate(BACKGROUND) != light


def test_charts_have_titles_with_units_on_every_axis(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = photographed(visitor, finished)
    for axis in ("sigma", "ln_sigma", "log_snr", "vp_time"):
        page.check(f"input[value={axis}]")
        for chart in ("entropy", "production"):
            expect(page.locator(f"#{chart} .xtitle")).to_contain_text("(")
            expect(page.locator(f"#{chart} .ytitle")).to_contain_text("(bits")
