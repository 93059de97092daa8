"""How the page looks: wide and narrow, light and dark.

ENTROSCOPE_SCREENSHOTS=FOLDER keeps the pictures, of a larger run; the README shows wide-dark.png.
"""

from pathlib import Path

import httpx
import pytest
from looks import EVERYWHERE, KEPT, NARROW, OVERFLOW, expect_to_fit, photograph
from playwright.sync_api import Page, expect
from visitor import WIDE, Scheme, Size, Visitor, begin, expect_done, prepare
from waiting import eventually

RUN = {"trajectories": "256", "steps": "32"} if KEPT else {"trajectories": "8", "steps": "10"}
BACKGROUND = "e => getComputedStyle(e).backgroundColor"
INK = "e => getComputedStyle(e).fill"
#: Whether the last thumbnail of the strip is drawn.
LAST_PICTURE = """e => {
    const ratio = devicePixelRatio, pixel = new OffscreenCanvas(1, 1).getContext("2d");
    if (e.width > 0) pixel.drawImage(e, e.width - 20 * ratio, 19 * ratio, 1, 1, 0, 0, 1, 1);
    return pixel.getImageData(0, 0, 1, 1).data[3] > 0;
}"""


@pytest.fixture(scope="module")
def finished() -> dict[str, str]:
    """Where the run that is photographed will be, once it has been made."""
    return {}


def photographed(
    visitor: Visitor, finished: dict[str, str], scheme: Scheme = "light", size: Size = WIDE
) -> Page:
    """Open a finished run of the image model; the first to ask makes it."""
    page = visitor.open(finished.get("path", "/"), scheme, size)
    if "path" not in finished:
        prepare(page, "fashion-mnist", **RUN)
        finished["path"] = begin(page).removeprefix(visitor.address)
    expect_done(page)
    expect(page.locator(".badge")).to_have_count(5)
    expect(page.locator("#profiles .lines path").first).to_be_attached()
    eventually(lambda: page.locator("#strip").evaluate(LAST_PICTURE))
    return page


@EVERYWHERE
def test_a_run_fits_its_screen(
    visitor: Visitor, finished: dict[str, str], pictures: Path, size: Size, scheme: Scheme
) -> None:
    page = photographed(visitor, finished, scheme, size)
    expect_to_fit(page, size)
    photograph(page, pictures, "", size, scheme)


@EVERYWHERE
def test_the_page_before_the_first_run_fits_its_screen(
    visitor: Visitor, pictures: Path, size: Size, scheme: Scheme
) -> None:
    page = visitor.open("/", scheme, size)
    expect(page.locator("#cost")).to_contain_text("evaluations")
    expect(page.locator("#production .lines path")).to_be_attached()
    expect_to_fit(page, size)
    photograph(page, pictures, "first-", size, scheme)


@pytest.mark.parametrize("width", [768, 900, 1181])
def test_the_title_of_a_run_and_its_actions_stand_apart(
    visitor: Visitor, finished: dict[str, str], width: int
) -> None:
    page = photographed(visitor, finished, size=(width, 800))
    title = page.locator("#head h1").bounding_box()
    actions = page.locator("#run-actions").bounding_box()
    about = page.locator("#run-about").bounding_box()
    assert title and actions and about
    beside = title["x"] + title["width"] <= actions["x"]
    below = about["y"] + about["height"] <= actions["y"]
    assert beside or below
    assert about["width"] > 200
    assert page.locator("html").evaluate(OVERFLOW)[0] == 0


def test_the_list_of_runs_ends_above_what_follows_it(visitor: Visitor) -> None:
    spec = {"schema": 1, "model": "gaussian-mixture", "trajectories": 2, "schedule": {"steps": 4}}
    for _ in range(8):
        httpx.post(f"{visitor.address}/api/runs", json=spec).raise_for_status()
    page = visitor.open("/", size=NARROW)
    expect(page.locator(".run-line").nth(7)).to_be_attached()
    runs = page.locator(".left").bounding_box()
    measurement = page.locator(".scope").bounding_box()
    assert runs and measurement
    assert runs["y"] + runs["height"] <= measurement["y"]
    inside = page.locator("#runs").evaluate("e => e.getBoundingClientRect().bottom + scrollY")
    assert inside <= measurement["y"]


def test_the_page_follows_the_system_into_the_dark(visitor: Visitor) -> None:
    page = visitor.open()
    title = page.locator("#entropy .xtitle")
    light = page.locator("body").evaluate(BACKGROUND), title.evaluate(INK)
    page.emulate_media(color_scheme="dark")
    assert page.locator("body").evaluate(BACKGROUND) != light[0]
    eventually(lambda: title.evaluate(INK) != light[1])


def test_the_charts_follow_the_size_of_the_window(visitor: Visitor) -> None:
    page = visitor.open()
    chart = page.locator("#entropy .main-svg").first
    expect(chart).to_be_attached()
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    eventually(lambda: (chart.bounding_box() or {"width": 999})["width"] < NARROW[0])
    expect_to_fit(page, NARROW)


def test_charts_have_titles_with_units_on_every_axis(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = photographed(visitor, finished)
    for axis in ("sigma", "ln_sigma", "log_snr", "vp_time"):
        page.check(f"input[value={axis}]")
        for chart in ("entropy", "production"):
            expect(page.locator(f"#{chart} .xtitle")).to_contain_text("(")
            expect(page.locator(f"#{chart} .ytitle")).to_contain_text("(bits")
