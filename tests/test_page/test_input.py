"""Bad input, keys, explanations and broken connections in the browser."""

import re

import pytest
from playwright.sync_api import Page, Route, expect
from visitor import Visitor, begin_short, expect_done, prepare

SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
#: What Chromium writes to its console when a request is refused, as it should be.
REFUSAL = "Failed to load resource"


@pytest.fixture
def clumsy(visitor: Visitor) -> Visitor:
    """A visitor whose requests may be refused."""
    visitor.expected = REFUSAL
    return visitor


def error_beside(page: Page, field: str) -> str:
    error = page.locator(f"[data-field='{field}'] > .error")
    expect(error).to_be_visible()
    return error.inner_text()


#: What is typed into which field, where it is wrong, and what is said there.
WRONG = [
    ("#trajectories", "1", "trajectories", "2"),
    ("#trajectories", "many", "trajectories", "whole number"),
    ("#trajectories", "32.5", "trajectories", "whole number"),
    ("#steps", "1", "schedule.steps", "2"),
    ("#steps", "100000", "schedule.steps", "8192"),
    ("#sigma-max", "0.001", "schedule.sigma_max", "sigma_min must be < sigma_max"),
    ("#sigma-min", "-1", "schedule.sigma_min", "must be >"),
    ("#seed", "-1", "seed", "0"),
    ("#previews", "65", "previews", "64"),
    ("#target", "0", "target_se_bits", "must be >"),
]


def test_what_is_wrong_is_said_beside_its_field(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "gaussian-mixture")
    page.get_by_text("More settings").click()
    for control, value, field, said in WRONG:
        before = page.locator(control).input_value()
        page.fill(control, value)
        assert said in error_beside(page, field)
        expect(page.locator("#cost")).to_be_empty()
        page.fill(control, before)
        expect(page.locator("#cost")).to_contain_text("evaluations")


def test_run_with_bad_input_goes_to_the_field_and_nowhere_else(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "gaussian-mixture")
    page.fill("#steps", "1")
    page.click("#run")
    expect(page.locator("#steps")).to_be_focused()
    expect(page.locator("#steps")).to_have_attribute("aria-invalid", "true")
    expect(page).not_to_have_url(re.compile("runs"))


def test_params_of_a_mixture_are_checked_beside_their_fields(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "gaussian-mixture")
    page.get_by_label("Std").fill("0")
    assert "must be > 0" in error_beside(page, "params.std")
    page.get_by_label("Std").fill("1")
    page.get_by_label("Means").fill("1, 2; 3")
    assert "one dimension" in error_beside(page, "params")
    page.get_by_label("Means").fill("1, 2; 3, 4")
    expect(page.locator("#cost")).to_contain_text("evaluations")
    page.get_by_label("Kind").select_option("pair")
    expect(page.get_by_label("Dimension")).to_have_value("64")


def test_a_single_group_is_refused_beside_the_groups(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "fashion-mnist")
    page.get_by_label("Decision 1").select_option("groups")
    page.get_by_role("button", name="Remove second half").click()
    assert "2 groups" in error_beside(page, "partitions")
    page.get_by_role("button", name="another group").click()
    page.get_by_role("button", name="Bag", exact=True).click()
    expect(page.locator("#cost")).to_contain_text("evaluations")


def test_the_cost_is_there_before_run_is_pressed(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "fashion-mnist", trajectories="100", steps="10")
    expect(page.locator("#cost")).to_contain_text("11,740 evaluations, about")


def test_run_may_be_pressed_before_the_form_has_its_price(visitor: Visitor) -> None:
    page = visitor.open()
    page.evaluate("""() => {
        const model = document.querySelector("#model");
        model.value = "gaussian-mixture";
        model.dispatchEvent(new Event("change", {bubbles: true}));
        document.querySelector("#trajectories").value = "16";
        document.querySelector("#form").requestSubmit();
    }""")
    expect_done(page)
    expect(page.locator("#cost")).to_contain_text("evaluations")
    expect(page.locator("#steps")).to_have_value("64")


def test_a_newcomer_finds_the_form_filled(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator("#model")).to_have_value("fashion-mnist")
    for field in ("#trajectories", "#steps", "#sigma-max", "#sigma-min"):
        expect(page.locator(field)).to_have_value(re.compile(r"^[\d.]+$"))
    expect(page.locator("#cost")).to_contain_text("evaluations, about")


@pytest.mark.parametrize("run", ["0" * 32, "../models"])
def test_an_unknown_run_is_said_to_be_unknown(clumsy: Visitor, run: str) -> None:
    page = clumsy.open(f"/#/runs/{run.replace('/', '%2F')}")
    expect(page.locator("#run-name")).to_have_text("No such run")
    expect(page.locator("#stack")).to_be_hidden()
    page.locator(".brand").click()
    expect(page.locator("#stack")).to_be_visible()


def test_everything_is_reached_with_the_keyboard(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="64", steps="16")
    tab_to(page, "#run")
    page.keyboard.press("Enter")
    expect_done(page)
    tab_to(page, "#stack")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#stack")).to_have_attribute("aria-valuenow", "3")
    page.keyboard.press("End")
    expect(page.locator("#readout")).to_contain_text(f"{SIGMA} = 0.05")
    tab_to(page, ".badge")
    expect(page.locator("#tip")).to_be_visible()
    expect(page.locator("#tip")).to_contain_text("at most")
    page.keyboard.press("Escape")
    expect(page.locator("#tip")).to_be_hidden()
    tab_to(page, ".sample")
    page.keyboard.press("Enter")
    tab_to(page, "#cite-open")
    page.keyboard.press("Enter")
    expect(page.locator("#cite")).to_contain_text("arXiv:2602.09651")
    expect(page.locator("#cite")).to_contain_text("arXiv:2506.10433")
    expect(page.locator("#cite")).to_contain_text("@software{entroscope")
    page.keyboard.press("Escape")
    expect(page.locator("#cite")).to_be_hidden()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there."""
    here = f"element => document.activeElement.matches({selector!r})"
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.locator("body").evaluate(here):
            return
    raise AssertionError(f"{selector} is not reached with Tab")


def test_pointing_along_the_curve_shows_what_was_measured_there(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    box = page.locator("#production").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    early = page.locator("#samples-caption").inner_text()
    page.mouse.move(box["x"] + box["width"] - 40, box["y"] + 60)
    expect(page.locator("#samples-caption")).not_to_have_text(early)
    expect(page.locator("#readout")).to_contain_text(f"{SIGMA} = 0.05")


def test_a_lost_server_is_noticed_and_found_again(clumsy: Visitor) -> None:
    page = clumsy.open()
    expect(page.locator("#connection-text")).to_have_text("connected")
    page.route("**/api/**", lambda route: route.abort())
    expect(page.locator("#connection-text")).to_contain_text("does not answer")
    page.unroute("**/api/**")
    expect(page.locator("#connection-text")).to_have_text("connected")


def test_the_price_is_back_with_the_server(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "gaussian-mixture")
    page.route("**/api/**", lambda route: route.abort())
    page.fill("#trajectories", "64")
    expect(page.locator("#form-error")).to_contain_text("does not answer")
    expect(page.locator("#connection-text")).to_contain_text("does not answer")
    page.unroute("**/api/**")
    expect(page.locator("#cost")).to_contain_text("evaluations")
    expect(page.locator("#form-error")).to_be_hidden()


def test_run_keeps_the_focus_and_makes_one_run_of_two_presses(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="16", steps="8")
    before = page.locator(".run-line").count()
    page.locator("#run").dblclick()
    expect_done(page)
    expect(page.locator("#run")).to_be_focused()
    expect(page.locator(".run-line")).to_have_count(before + 1)
    expect(page).to_have_title("Gaussian mixture (exact), all 4 classes \N{MIDDLE DOT} Entroscope")


def test_a_study_that_does_not_fit_is_refused_among_the_studies(clumsy: Visitor) -> None:
    page = clumsy.open()
    prepare(page, "gaussian-mixture")
    page.get_by_text("Advanced: guidance").click()
    page.get_by_label("Guidance").select_option("cfg")
    page.locator("summary", has_text="Studies").click()
    page.fill("#branch-sigma", "1")
    error = page.locator("p[data-field=studies]")
    expect(error).to_contain_text("needs a run without guidance")
    expect(error).not_to_contain_text("studies.branching")


def test_settings_that_the_schema_describes_have_help(visitor: Visitor) -> None:
    page = visitor.context.new_page()

    def describe(route: Route) -> None:
        response = route.fetch()
        schema = response.json()
        schema["properties"]["trajectories"]["description"] = "Paths that are measured."
        schema["properties"]["seed"].pop("description", None)
        route.fulfill(response=response, json=schema)

    page.route("**/api/schema/spec", describe)
    page.goto(visitor.address)
    mark = page.locator("[data-field=trajectories] > .help")
    expect(mark).to_have_attribute("href", "/guide/first-run#settings-trajectories")
    said = re.compile(r"^Paths that are measured\. Default: 256\.")
    expect(mark).to_have_attribute("title", said)
    expect(page.locator("#trajectories")).to_have_attribute("aria-description", said)
    expect(page.locator("[data-field=seed] > .help")).to_have_count(0)
    expect(page.locator(".helps a").first).to_have_attribute("href", "/guide/measured#entropy")


def test_a_redis_out_of_reach_is_told_until_it_is_back(clumsy: Visitor) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"status": 503, "detail": "Redis is out of reach"})

    page = clumsy.open()
    page.route("**/api/runs?*", refuse)
    expect(page.locator("#trouble")).to_have_text("Redis is out of reach")
    page.unroute("**/api/runs?*")
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_page_without_workers_says_how_to_get_one(visitor: Visitor) -> None:
    def nobody(route: Route) -> None:
        route.fulfill(json={"schema": 1, "workers": []})

    page = visitor.open()
    page.route("**/api/workers", nobody)
    expect(page.locator("#no-worker")).to_contain_text("entroscope work")
    page.unroute("**/api/workers")
    expect(page.locator("#no-worker")).to_be_hidden()
