"""Runs on labelled data: calibration beside the curves, and the model's own run beside both."""

from pathlib import Path

from playwright.sync_api import Page, expect
from visitor import Visitor, begin, expect_done, prepare
from waiting import eventually

NAMES = "element => element.data.map(({name}) => name)"
DOTTED = "element => element.data.filter(({line}) => /px,5px/.test(line?.dash)).length"


def run_on(page: Page, paths: str) -> None:
    page.select_option("#model", "gaussian-mixture")
    page.locator("details").first.evaluate("element => { element.open = true; }")
    page.select_option("#paths-from", paths)
    prepare(page, "gaussian-mixture", trajectories="400", steps="32")
    begin(page)
    expect_done(page)


def test_a_run_on_data_shows_how_far_the_model_can_be_trusted(
    visitor: Visitor, pictures: Path
) -> None:
    page = visitor.open()
    run_on(page, "model")
    expect(page.locator("#calibration")).to_be_hidden()
    page.goto(visitor.address)
    run_on(page, "data")
    expect(page.locator("#run-about")).to_contain_text("paths of labelled data")
    expect(page.locator(".badge")).to_have_count(2)
    expect(page.locator("#calibration-caption")).to_contain_text("of 400 right")
    expect(page.locator("#accuracy .lines path").first).to_be_attached()
    expect(page.locator("#reliability .bars path").first).to_be_attached()
    assert "all classes, cross-entropy" in page.locator("#entropy").evaluate(NAMES)
    eventually(lambda: page.locator("#entropy").evaluate(DOTTED) == 1)  # the model's own run
    page.screenshot(path=pictures / "calibration.png")


def test_the_diagram_is_that_of_the_level_under_the_cursor(visitor: Visitor) -> None:
    page = visitor.open()
    run_on(page, "data")
    page.locator("#stack").focus()
    page.keyboard.press("Home")
    expect(page.locator("#calibration-caption")).to_contain_text(" = 136:")
    expect(page.locator("#reliability .bars path")).to_have_count(1)
    page.keyboard.press("End")
    expect(page.locator("#calibration-caption")).to_contain_text(" = 0.05:")


def test_settings_of_a_run_on_data_are_copied_and_other_models_have_their_own(
    visitor: Visitor,
) -> None:
    page = visitor.open()
    run_on(page, "data")
    page.reload()
    page.click("#copy")
    expect(page.locator("#paths-from")).to_have_value("data")
    page.select_option("#model", "fashion-mnist")  # it was given no data
    expect(page.locator("#paths-field")).to_be_hidden()
    expect(page.locator("#cost")).to_contain_text("evaluations")
