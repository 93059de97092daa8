"""What to decide among, chosen in the browser: presets, trees, pairs, several of them, weights."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from visitor import Visitor, begin, expect_done, prepare


def choose(page: Page, kind: str, decision: int = 1) -> None:
    page.get_by_label(f"Decision {decision}", exact=True).select_option(kind)


def row(page: Page, path: str) -> Locator:
    return page.locator(f"[data-key='name-{path}']")


def spec_of(visitor: Visitor, page: Page) -> dict[str, Any]:
    """Return the spec of the run that the page shows."""
    run = page.url.split("#/runs/")[1].split("?")[0]
    spec: dict[str, Any] = httpx.get(f"{visitor.address}/api/runs/{run}").json()["spec"]
    return spec


def test_a_preset_tree_is_shown_run_and_its_curves_are_indented(
    visitor: Visitor, pictures: Path
) -> None:
    page = visitor.open()
    prepare(page, "fashion-mnist", trajectories="16", steps="8")
    choose(page, "preset:kinds")
    expect(row(page, "0")).to_have_value("tops")
    expect(row(page, "0.0.1")).to_have_value("Shirt")
    begin(page)
    expect_done(page)
    curves = page.locator(".curve")
    expect(curves).to_have_count(5)
    expect(curves.nth(0)).to_have_text("tops / trousers / footwear / bag")
    expect(curves.nth(2)).to_have_text("tops: shirts: T-shirt/top / Shirt")
    edges = [curve.evaluate("e => e.offsetLeft") for curve in curves.all()]
    assert edges[0] < edges[1] < edges[2] == edges[3] and edges[1] == edges[4]
    expect(page.locator(".badge", has_text="chain rule")).to_be_visible()
    page.screenshot(path=pictures / "tree.png")


def test_the_preset_of_a_mixture_follows_its_parameters(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="32", steps="8")
    page.get_by_label("Kind").select_option("tree")
    offered = page.get_by_label("Decision 1", exact=True).locator("option[value='preset:tree']")
    expect(offered).to_be_attached()
    choose(page, "preset:tree")
    expect(row(page, "1.1")).to_have_value("B2")
    page.get_by_label("Offsets").fill("8, 3, 1")
    expect(row(page, "1.1.1")).to_have_value("B2b")
    begin(page)
    expect_done(page)
    expect(page.locator(".curve")).to_have_count(7)


def test_a_tree_is_made_by_splitting_groups(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="32", steps="8")
    choose(page, "groups")
    row(page, "0").fill("left")
    page.locator("[data-key='split-0']").click()
    expect(row(page, "0.1")).to_have_value("-4")
    begin(page)
    expect_done(page)
    left = [{"name": "-8", "labels": ["-8"]}, {"name": "-4", "labels": ["-4"]}]
    right = {"name": "second half", "labels": ["6", "8"]}
    groups = [{"name": "left", "groups": left}, right]
    assert spec_of(visitor, page)["partitions"] == {"groups": groups}


def test_the_name_of_a_group_is_edited_like_any_other_text(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "fashion-mnist")
    choose(page, "groups")
    row(page, "1").select_text()
    page.keyboard.type("low")
    expect(row(page, "1")).to_have_value("low")
    expect(page.locator("[data-key='pick-1']")).to_be_checked()
    chip = page.get_by_role("button", name="T-shirt/top", exact=True)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(row(page, "1")).to_have_value("low")


def test_several_decisions_and_weights_of_ones_own_are_one_run(visitor: Visitor) -> None:
    page = visitor.open()
    prepare(page, "gaussian-mixture", trajectories="32", steps="8")
    choose(page, "pair")
    page.get_by_label("Second class").select_option("8")
    page.get_by_role("button", name="another decision").click()
    choose(page, "rest", 2)
    page.locator("summary", has_text="More settings").click()
    page.select_option("#prior", "given")
    expect(page.locator("#weights")).to_have_value("1 -8\n1 -4\n1 6\n1 8")
    page.fill("#weights", "3 -8\n1 -4\n1 6\n1 8")
    expect(page.locator("#cost")).to_contain_text("evaluations")
    begin(page)
    expect_done(page)
    spec = spec_of(visitor, page)
    pair = [{"name": label, "labels": [label]} for label in ("-8", "8")]
    assert spec["partitions"] == {"pair": pair, "rest": "each-vs-rest"}
    assert spec["prior"] == {"-8": 3, "-4": 1, "6": 1, "8": 1}
    page.reload()
    page.click("#copy")
    expect(page.locator("#weights")).to_have_value(re.compile("3 -8"))
    expect(page.get_by_label("Second class")).to_have_value("8")
    expect(page.get_by_label("Decision 2", exact=True)).to_have_value("rest")


@pytest.mark.parametrize(("weight", "said"), [("0", "must be > 0"), ("much", "number")])
def test_a_weight_that_is_none_is_said_beside_the_prior(
    visitor: Visitor, weight: str, said: str
) -> None:
    visitor.expected = "Failed to load resource"
    page = visitor.open()
    prepare(page, "fashion-mnist")
    page.locator("summary", has_text="More settings").click()
    page.select_option("#prior", "given")
    expect(page.locator("#weights")).not_to_be_empty()
    page.fill("#weights", f"{weight} Bag\n1 Coat")
    expect(page.locator("[data-field='prior'] > .error")).to_contain_text(said)
