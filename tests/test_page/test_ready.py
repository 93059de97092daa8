"""The studies of the papers in the browser: found, filled in, or how to get their model."""

from pathlib import Path
from typing import Any

import pytest
from looks import EVERYWHERE, expect_to_fit, photograph
from playwright.sync_api import Locator, Page, expect
from visitor import Scheme, Size, Visitor

from entroscope_workers.library.preset_files import run_presets

PRESETS = {preset.name: preset for preset in run_presets()}


def opened(page: Page, name: str) -> Locator:
    """Open the dialog and one study in it."""
    page.click("#ready-open")
    item = page.locator(f"#ready [data-name={name}]")
    item.locator("summary").click()
    return item


def planned(page: Page, press: Locator) -> Any:
    """Press and return what the form, once filled, is told of its run."""
    press.click()
    expect(page.locator("#ready")).to_be_hidden()
    with page.expect_response(lambda own: own.url.endswith("/api/runs/plan")) as answer:
        page.fill("#trajectories", "1024")
    return answer.value.json()


def newest(page: Page, visitor: Visitor) -> list[str]:
    """Return the id of the newest run, if there is any."""
    answer = page.request.get(f"{visitor.address}/api/runs?limit=1").json()
    return [run["id"] for run in answer["runs"]]


def test_a_study_whose_model_is_there_fills_the_form_and_starts_nothing(visitor: Visitor) -> None:
    page = visitor.open()
    before = newest(page, visitor)
    item = opened(page, "fashion-mnist-classes")
    expect(item.locator("summary")).to_contain_text("750,720 evaluations, about")
    plan = planned(page, item.get_by_role("button", name="Fill the form"))
    wanted = PRESETS["fashion-mnist-classes"].spec
    for field in ("model", "partitions", "trajectories"):
        assert plan["spec"][field] == wanted[field]
    assert plan["cost"]["evaluations"] == PRESETS["fashion-mnist-classes"].evaluations
    expect(page.locator("#cost")).to_contain_text("750,720 evaluations")
    expect(page.locator("#decisions select").nth(1)).to_have_value("preset:kinds")
    expect(page.locator("input[name=axis][value=ln_sigma]")).to_be_checked()
    assert newest(page, visitor) == before


def test_a_study_without_its_model_says_how_to_get_it(visitor: Visitor) -> None:
    page = visitor.open()
    item = opened(page, "edm2-xs-thousand")
    expect(item.locator("summary")).to_contain_text("21,981,000 evaluations")
    commands = "\n".join(PRESETS["edm2-xs-thousand"].how_to_get)
    assert item.locator("pre").inner_text() == commands
    expect(item.get_by_role("button", name="Fill the form")).to_have_count(0)


def test_every_study_is_in_the_list_with_its_price(visitor: Visitor) -> None:
    page = visitor.open()
    page.click("#ready-open")
    for name, preset in PRESETS.items():
        line = page.locator(f"#ready [data-name={name}] summary")
        expect(line).to_contain_text(preset.title)
        expect(line).to_contain_text(f"{preset.evaluations:,} evaluations")


def test_a_ready_sweep_opens_on_the_theory_bench(visitor: Visitor) -> None:
    page = visitor.open()
    opened(page, "two-scales").get_by_role("button", name="Open on the theory bench").click()
    expect(page.locator("#preset-about")).to_contain_text("Two pairs of components")
    expect(page.locator("#presets input:checked")).to_have_value("two-scales")
    expect(page.locator("#sweep-cost")).to_contain_text("4 runs, 7,186,432 evaluations")
    assert page.locator("#presets input[value=two-scales]").count() == 1


def test_chosen_classes_are_typed_and_sent(visitor: Visitor) -> None:
    page = visitor.open()
    page.select_option("#decisions select", "each")
    with page.expect_response(
        lambda own: own.url.endswith("/api/runs/plan") and "Ankle" in (own.request.post_data or "")
    ) as answer:
        page.get_by_label("Chosen classes").fill("Ankle boot, 1-3")
    plan = answer.value.json()
    assert plan["spec"]["partitions"] == {"each": {"each": ["Ankle boot", 1, 2, 3]}}
    assert [curve["key"] for curve in plan["curves"]] == [
        "each.trouser",
        "each.pullover",
        "each.dress",
        "each.ankle-boot",
    ]


@EVERYWHERE
@pytest.mark.parametrize("name", ["edm2-xs-complement", "fashion-mnist-classes"])
def test_the_studies_fit_their_screen(
    visitor: Visitor, pictures: Path, size: Size, scheme: Scheme, name: str
) -> None:
    page = visitor.open("/", scheme, size)
    expect(page.locator("#cost")).to_contain_text("evaluations")
    expect(opened(page, name).locator("p").first).to_be_visible()
    expect_to_fit(page, size)
    wide = page.locator("#ready").evaluate("e => e.scrollWidth - e.clientWidth")
    assert wide == 0
    photograph(page, pictures, f"ready-{name}-", size, scheme)
