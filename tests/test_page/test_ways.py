"""Ways around the page in the browser: keys, lists, legends, copies and addresses."""

import re

from playwright.sync_api import expect
from visitor import Visitor, begin, begin_short, expect_done, prepare

#: The usual laptop.
LAPTOP = (1366, 768)


def test_the_charts_are_one_key_away(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.reload()
    expect_done(page)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the charts")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#stack")).to_be_focused()
    assert "#/runs/" in page.url


def test_the_list_of_runs_keeps_room_for_three_however_long_the_form_is(visitor: Visitor) -> None:
    page = visitor.open(size=LAPTOP)
    for summary in ("More settings", "Advanced", "Studies"):
        page.get_by_text(summary, exact=False).first.click()
    box = page.locator(".left .runs").bounding_box()
    assert box is not None and box["height"] >= 200


def test_of_many_curves_all_can_be_shown_or_only_one(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "fashion-mnist", trajectories="4", steps="4")
    page.get_by_label("Decision 1", exact=True).select_option("rest")
    expect(page.locator("#cost")).to_contain_text("evaluations")
    begin(page)
    legend = page.locator("#curves")
    expect(legend.locator("[aria-pressed=true]")).to_have_count(10)
    legend.get_by_text("show only one").click()
    expect(legend.locator("[aria-pressed=true]")).to_have_count(1)
    legend.get_by_text("show all 10").click()
    expect(legend.locator("[aria-pressed=true]")).to_have_count(10)
    expect_done(page)


def test_copied_settings_are_said_to_be_copied(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.click("#copy")
    expect(page.locator("#copy")).to_have_text("Settings copied")
    expect(page.locator("#trajectories")).to_be_focused()
    expect(page.locator("#trajectories")).to_have_value("64")


def test_an_extended_run_shows_the_pictures_of_the_run_that_it_extends(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    for _ in range(2):  # the second extends a run whose own log has no pictures
        before = page.url
        page.click("#extend button")
        expect(page).not_to_have_url(before)
        expect_done(page)
    expect(page.locator("#samples .sample")).to_have_count(16)
    expect(page.locator("#strip")).to_be_visible()
    expect(page.locator("#no-samples")).to_be_empty()


def test_an_address_shows_somebody_else_what_one_looks_at(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.locator("#samples .sample").nth(3).click()
    page.locator("#stack").focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"step=2&followed=3"))
    other = visitor.open(page.url.removeprefix(visitor.address))
    expect_done(other)
    told = page.locator("#readout b").inner_text()
    expect(other.locator("#readout b")).to_have_text(told)
    expect(other.locator("#samples .sample").nth(3)).to_have_attribute("aria-pressed", "true")
