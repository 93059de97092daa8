"""Guided runs in the browser: their settings, their badges, and what guidance moves."""

import re
from pathlib import Path

import pytest
from looks import EVERYWHERE, KEPT, expect_to_fit, photograph
from playwright.sync_api import Page, expect
from visitor import WIDE, Scheme, Size, Visitor, begin, expect_done, prepare

MODEL = "fashion-mnist" if KEPT else "gaussian-mixture"
RUN = {"trajectories": "256", "steps": "32"} if KEPT else {"trajectories": "96", "steps": "32"}
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"


def open_advanced(page: Page) -> None:
    page.get_by_text("Advanced: guidance").click()


def guide(page: Page, method: str = "cfg", **fields: str) -> None:
    """Fill in guidance; the form must be that of a model that can be guided."""
    page.get_by_label("Guidance", exact=True).select_option(method)
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Where the comparison that is photographed will be, once it has been made."""
    return {}


def compared(
    visitor: Visitor, made: dict[str, str], scheme: Scheme = "light", size: Size = WIDE
) -> Page:
    """Open a comparison; the first to ask makes its runs."""
    page = visitor.open(made.get("path", "/"), scheme, size)
    if "path" not in made:
        prepare(page, MODEL, **RUN)
        open_advanced(page)
        guide(page, **{"Scale": "3", f"Guided from {SIGMA}": "20", f"down to {SIGMA}": "0.5"})
        expect(page.locator("#cost")).to_contain_text("evaluations")
        begin(page)
        expect_done(page)
        page.get_by_role("button", name="Compare with unguided").click()
        expect(page).to_have_url(re.compile("#/compare/[0-9a-f]+/[0-9a-f]+"))
        made["path"] = page.url.removeprefix(visitor.address)
    expect(page.locator("#redistribution .lines path").first).to_be_attached(timeout=1_200_000)
    expect(page.locator("#entropy-difference .lines path").first).to_be_attached()
    return page


def test_guidance_is_priced_and_costs_one_evaluation_more_a_level(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="100", steps="10")
    expect(page.locator("#cost")).to_contain_text("4,696 evaluations")
    open_advanced(page)
    guide(page, Scale="3")
    expect(page.locator("#cost")).to_contain_text("5,870 evaluations")


def test_what_is_wrong_with_advanced_settings_is_said_beside_them(visitor: Visitor) -> None:
    visitor.expected = "Failed to load resource"
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="16")
    open_advanced(page)
    guide(page, Scale="many")
    expect(page.locator("[data-field='guidance.scale'] > .error")).to_contain_text("number")
    guide(page, Scale="3", **{f"Guided from {SIGMA}": "0.01"})
    interval = page.locator("[data-field='guidance.interval'] > .error")
    expect(interval).to_contain_text("no noise level of the run lies in it")
    guide(page, **{f"Guided from {SIGMA}": "1", f"down to {SIGMA}": "2"})
    expect(page.locator("[data-field='guidance'] > .error")).to_contain_text("must rise")
    guide(page, **{f"Guided from {SIGMA}": "", f"down to {SIGMA}": ""})
    page.get_by_label("Prune classes below").fill("0.5")
    expect(page.locator("[data-field='prune_below'] > .error")).to_contain_text("0.1")
    page.get_by_label("Prune classes below").fill("")
    expect(page.locator("#cost")).to_contain_text("evaluations")


@pytest.mark.parametrize("decoder", ["model", "guided"])
def test_a_guided_run_shows_no_false_red_badge(visitor: Visitor, decoder: str) -> None:
    page = visitor.open()
    fields = {
        "trajectories": "256",
        "steps": "64",
        "sigma-max": "400",
    }  # guided, more is decided above
    prepare(page, "gaussian-mixture", **fields)
    open_advanced(page)
    guide(page, Scale="3")
    page.get_by_label("Scored with").select_option(decoder)
    begin(page)
    expect_done(page)
    expect(page.locator("#run-about")).to_contain_text("guided \N{MULTIPLICATION SIGN}3")
    expect(page.locator(".badge")).to_have_count(3 if decoder == "model" else 5)
    expect(page.locator(".badge[data-ok=false]")).to_have_count(0)
    page.get_by_role("button", name="Copy settings").click()
    expect(page.get_by_label("Scored with")).to_have_value(decoder)
    expect(page.get_by_label("Scale", exact=True)).to_have_value("3")


def test_a_guided_run_is_compared_with_its_unguided_twin(
    visitor: Visitor, made: dict[str, str]
) -> None:
    page = compared(visitor, made)
    expect(page.locator(".comparison-summary")).to_contain_text("H changes most by")
    expect(page.locator("#run-progress")).to_contain_text("trajectories with the same noise")
    drawn = page.locator("#redistribution .lines path")
    before = drawn.count()
    page.get_by_role("button", name="Show each class").click()
    classes = page.locator(".comparison .curve").count()
    expect(drawn).to_have_count(before + classes)
    page.locator(".comparison .curve").first.click()
    expect(drawn).to_have_count(before + classes - 1)
    for axis in ("vp_time", "log_snr", "sigma"):
        page.check(f"input[value={axis}]")
        for chart, said in (
            ("redistribution", "production (bits per"),
            ("entropy-difference", "H ("),
        ):
            expect(page.locator(f"#{chart} .xtitle")).to_contain_text("(")
            expect(page.locator(f"#{chart} .ytitle")).to_contain_text(said)
    page.get_by_role("link", name="unguided run").click()
    expect_done(page)
    expect(page.locator("#run-about")).not_to_contain_text("guided")
    page.go_back()
    expect(page.locator(".comparison-summary")).to_contain_text("H changes most by")


@EVERYWHERE
def test_a_comparison_fits_its_screen(
    visitor: Visitor, made: dict[str, str], pictures: Path, size: Size, scheme: Scheme
) -> None:
    page = compared(visitor, made, scheme, size)
    expect_to_fit(page, size)
    photograph(page, pictures, "comparison-", size, scheme)
    page.get_by_role("button", name="Show each class").click()
    expect(page.get_by_role("button", name="Hide the classes")).to_be_visible()
    expect_to_fit(page, size)
    photograph(page, pictures, "comparison-classes-", size, scheme)


def test_a_comparison_that_cannot_be_made_says_why(visitor: Visitor, made: dict[str, str]) -> None:
    visitor.expected = "Failed to load resource"
    run = compared(visitor, made).url.split("/")[-2]
    page = visitor.open(f"/#/compare/{run}/{'0' * 32}")
    expect(page.locator("#run-name")).to_have_text("No such run")
    expect(page.locator("#redistribution")).to_be_hidden()
