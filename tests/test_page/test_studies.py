"""The studies in the browser: asked for, drawn, and used to guide a run."""

from pathlib import Path

from playwright.sync_api import Page, expect
from visitor import Visitor, begin, expect_done, prepare

MARKS = ":is(.scatterlayer, .barlayer, .heatmaplayer) :is(path, image)"
PLOTS = ("commitment", "switch", "branching", "calibration", "contenders")


def studied(page: Page) -> None:
    """Run a mixture with all studies and look at them."""
    prepare(page, "gaussian-mixture", trajectories="128", steps="48")
    page.click("#studies-form summary")
    levels = page.locator("#levels option")
    expect(levels).to_have_count(47)  # of the plan with 48 steps, not of one before
    level = levels.nth(24).get_attribute("value")
    page.fill("#branch-sigma", level or "")
    page.fill("#switch-sigmas", "12")
    expect(page.locator("#cost")).to_contain_text("evaluations")
    begin(page)
    expect_done(page)
    page.check("input[name=view][value=studies]")
    expect(page.locator("#commitment-text")).to_contain_text("128 trajectories")


def test_all_studies_are_drawn_and_the_window_guides_a_new_run(
    visitor: Visitor, pictures: Path
) -> None:
    page = visitor.open()
    studied(page)
    for name in PLOTS:
        expect(page.locator(f"#{name}-plot {MARKS}").first).to_be_attached()
        title = page.locator(f"#{name}-plot .ytitle")
        expect(title).to_contain_text("(")
    expect(page.locator("#switch-text")).to_contain_text("Half of the copies follow")
    page.screenshot(path=pictures / "studies-light.png")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=pictures / "studies-dark.png")
    before = page.url
    page.fill("#guide-scale", "3")
    page.click("#guide-run")
    expect(page).not_to_have_url(before)
    expect_done(page)
    expect(page.locator("#commitment-text")).to_contain_text("128 trajectories")
    expect(page.locator("#guide")).to_be_hidden()


def test_a_typed_level_becomes_one_of_the_run_and_another_is_refused_with_the_nearest(
    visitor: Visitor,
) -> None:
    visitor.expected = "422"
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="32", steps="16")
    page.click("#studies-form summary")
    page.fill("#branch-sigma", "5")
    page.locator("#branch-sigma").blur()
    assert page.input_value("#branch-sigma") != "5"
    page.fill("#steps", "17")
    error = page.locator("[data-field='studies.branching.sigma'] .error")
    expect(error).to_contain_text("the nearest are")
