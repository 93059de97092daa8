"""Runs in the browser: begun, watched, joined in the middle, cancelled, extended."""

import re

from playwright.sync_api import WebSocketRoute, expect
from visitor import (
    Visitor,
    begin,
    begin_long,
    begin_short,
    curve,
    expect_done,
    measured,
    prepare,
    state,
    wait_for_points,
)


def test_run_shows_curves_pictures_and_checks_of_an_image_model(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "fashion-mnist", trajectories="8", steps="6")
    begin(page)
    expect_done(page)
    assert measured(page) == 6
    expect(page.locator(".sample")).to_have_count(8)
    expect(page.locator("#strip")).to_be_visible()
    expect(page.locator(".badge")).to_have_count(5)
    expect(page.locator("#readout")).to_contain_text("bits per ln")
    expect(page.locator("#profiles .lines path").first).to_be_attached()


def test_a_reload_in_mid_run_shows_the_run_from_its_first_point_on(visitor: Visitor) -> None:
    page = visitor.open()
    begin_long(page)
    wait_for_points(page, 96)
    page.reload()
    wait_for_points(page, 96)
    assert curve(page)[0] is not None
    expect(state(page)).to_have_text("running")
    expect(page.locator("#connection-text")).to_have_text("live")
    page.click("#cancel")
    expect(state(page)).to_have_text("cancelled")


def test_a_second_viewer_sees_what_the_first_one_sees(visitor: Visitor) -> None:
    first = visitor.open()
    prepare(first, "gaussian-mixture", trajectories="100")
    url = begin(first)
    second = visitor.context.browser
    assert second is not None
    with second.new_context() as context:
        other = Visitor(context, visitor.address).open(url.removeprefix(visitor.address))
        expect_done(first)
        expect_done(other)
        expect(other.locator(".badge")).to_have_count(5)
        assert curve(first) == curve(other)
        assert curve(first, "production") == curve(other, "production")
        expect(other.locator("#run-progress")).to_have_text(
            first.locator("#run-progress").inner_text()
        )


def test_a_broken_connection_is_joined_again_where_it_broke(visitor: Visitor) -> None:
    addresses: list[str] = []
    passed: list[object] = []

    def proxy(viewer: WebSocketRoute) -> None:
        addresses.append(viewer.url)
        server = viewer.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            passed.append(message)
            viewer.send(message)
            if len(passed) == 10:
                viewer.close(code=4408)

        server.on_message(pass_on)

    page = visitor.open()
    page.route_web_socket(re.compile("/events"), proxy)
    page.reload()
    begin_short(page)
    expect_done(page)
    wait_for_points(page, 16)  # a run that is done before it is watched says so before its points
    assert len(addresses) == 2
    assert "?after=" in addresses[1]


def test_cancel_stops_a_run_and_keeps_its_curve(visitor: Visitor) -> None:
    page = visitor.open()
    begin_long(page)
    wait_for_points(page, 20)
    page.click("#cancel")
    expect(state(page)).to_have_text("cancelled")
    expect(page.locator("#cancel")).to_be_hidden()
    assert measured(page) > 0
    expect(page.locator(".run-line").first).to_have_attribute("data-state", "cancelled")


def test_a_waiting_run_says_its_place_and_is_cancelled_from_the_list(visitor: Visitor) -> None:
    page = visitor.open()
    begin_long(page)
    expect(state(page)).to_have_text("running")
    page.locator("#model").select_option("gaussian-mixture")
    begun = page.url
    page.click("#run")
    expect(page).not_to_have_url(begun)
    line = page.locator(".run-line").first
    expect(line.locator("[aria-current]")).to_have_attribute(
        "href", "#" + page.url.partition("#")[2]
    )
    line.locator("button").click()
    expect(line).to_have_attribute("data-state", "cancelled")
    page.locator(".run-line").nth(1).locator("button").click()
    expect(page.locator(".run-line").nth(1)).to_have_attribute("data-state", "cancelled")


def test_a_finished_run_is_extended(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    first = page.url
    expect(page.locator("#extend-to")).to_have_value("128")
    page.click("#extend button")
    expect(page).not_to_have_url(first)
    expect_done(page)
    expect(page.locator("#run-progress")).to_contain_text("128 trajectories")
    expect(page.locator("#run-about")).to_contain_text("extends an earlier run")


def test_downloads_have_the_unit_and_the_axis_that_are_shown(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.check("input[value=vp_time]")
    page.check("input[value=nats]")
    with page.expect_download() as csv:
        page.click("#csv")
    text = csv.value.path().read_text()
    assert "nats" in text.splitlines()[0]
    with page.expect_download() as result:
        page.click("#json")
    assert result.value.path().read_text().startswith("{")


def test_curves_of_a_run_are_chosen_in_its_legend(visitor: Visitor) -> None:
    page = visitor.open()
    page.select_option("#model", "gaussian-mixture")
    page.get_by_label("Decision 1").select_option("rest")
    begin_short(page)
    expect_done(page)
    curves = page.locator(".curve")
    expect(curves).to_have_count(4)
    named = "element => element.data.map(({name}) => name).filter(Boolean)"
    lines = page.locator("#entropy").evaluate(named)
    assert sum(name.endswith(", exact") for name in lines) == 4
    assert len(lines) == 8
    curves.first.click()
    expect(curves.first).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#readout")).not_to_contain_text("-8,")
    expect(curves.nth(1)).to_have_class(re.compile("focus"))


def test_the_address_holds_run_axis_and_unit(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.check("input[value=log_snr]")
    page.check("input[value=nats]")
    expect(page).to_have_url(re.compile(r"#/runs/[0-9a-f]+\?axis=log_snr&unit=nats"))
    page.reload()
    expect(page.locator("#readout")).to_contain_text("nats per log-SNR")
    expect(page.locator("input[value=log_snr]")).to_be_checked()
    page.go_back()
    expect(page.locator("#run-name")).to_have_text("When is the decision made?")


def test_a_finished_run_is_deleted_by_a_second_press(visitor: Visitor) -> None:
    page = visitor.open()
    url = begin_short(page)
    expect_done(page)
    line = page.locator(".run-line[data-state=done]", has=page.locator("[aria-current]"))
    line.hover()
    line.locator("button").click()
    expect(line.locator("button")).to_have_text("Delete?")
    line.locator("button").click()
    expect(page).not_to_have_url(url)
    expect(page.locator("#run-name")).to_have_text("When is the decision made?")


def test_settings_of_a_run_are_copied_into_the_form(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_text("More settings").click()
    page.fill("#seed", "7")
    begin_short(page)
    expect_done(page)
    page.reload()
    page.click("#copy")
    expect(page.locator("#model")).to_have_value("gaussian-mixture")
    expect(page.locator("#seed")).to_have_value("7")
    expect(page.locator("#steps")).to_have_value("16")


def test_names_from_outside_are_shown_as_text(visitor: Visitor) -> None:
    page = visitor.open()
    page.select_option("#model", "gaussian-mixture")
    page.get_by_label("Decision 1").select_option("groups")
    page.fill("[data-key=name-0]", "<img src=x onerror=alert(1)>")
    begin_short(page)
    expect_done(page)
    expect(page.locator("#run-about")).to_contain_text("<img src=x")
    expect(page.locator("img")).to_have_count(0)


def test_the_grid_of_a_finished_run_is_refined_and_its_levels_are_copied(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    page.click("#refine")
    expect(page.locator("#run-about")).to_contain_text("placed steps")
    expect_done(page)
    page.get_by_label("error in parts").check()
    expect(page.locator(".readout-parts").first).to_contain_text("95 % = noise")
    page.click("#copy")
    expect(page.locator("#steps")).to_have_attribute("placeholder", re.compile("placed"))
    expect(page.locator("#cost")).to_contain_text("evaluations")
    before = page.url
    page.click("#run")
    expect(page).not_to_have_url(before)
    expect(page.locator("#run-about")).to_contain_text("placed steps")
    page.fill("#steps", "16")
    expect(page.locator("#sigma-max")).to_have_attribute("placeholder", "")
