"""Prompts in the browser: a tiny Stable Diffusion, asked in words, its pictures in pairs."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect
from program import program
from tiny import write_tiny
from visitor import Visitor, begin, expect_done, prepare

PROMPTS = ["A wooden chair", "A wooden chair in front of blue walls"]
LONG = "A wooden chair in front of blue walls, by a master whose name is lost now"


@pytest.fixture(scope="module")
def painter(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A visitor of the whole program with a tiny Stable Diffusion as a user would have it."""
    folder = tmp_path_factory.mktemp("painter")
    entry = write_tiny("stable-diffusion", folder / "pipeline")
    models = folder / "models.toml"
    models.write_text(f'[models.{entry.name}]\nfamily = "{entry.family}"\npath = "pipeline"\n')
    with program(folder, "--models", str(models)) as running, browser.new_context() as context:
        visitor = Visitor(context, running.address)
        yield visitor
        assert not visitor.complaints


def short(page: Page) -> None:
    prepare(page, "tiny-sd", trajectories="8", steps="6")


def samples(page: Page) -> list[str]:
    return page.locator(".sample-label").all_inner_texts()


def test_a_run_of_prompts_shows_each_noise_once_for_every_prompt(painter: Visitor) -> None:
    page = painter.open()
    short(page)
    field = page.get_by_label("Prompts, one a line")
    assert field.input_value().split("\n") == PROMPTS
    begin(page)
    expect_done(page)
    expect(page.locator(".sample")).to_have_count(16)
    assert samples(page) == PROMPTS * 8
    expect(page.locator("#strip-names span")).to_have_text(PROMPTS)
    title = re.compile(f"^Noise 2: {PROMPTS[1]}; posterior")
    expect(page.locator(".sample").nth(3)).to_have_attribute("title", title)
    lefts = [page.locator(".sample").nth(i).bounding_box() for i in range(4)]
    gaps = [b["x"] - a["x"] for a, b in pairwise(lefts) if a and b]
    assert gaps[1] > gaps[0] + 4 and gaps[0] == pytest.approx(gaps[2], abs=1)


def test_groups_follow_a_prompt_that_is_typed_and_long_ones_are_shortened(
    painter: Visitor,
) -> None:
    page = painter.open()
    short(page)
    page.get_by_label("Decision 1").select_option(label="one prompt against another")
    expect(page.get_by_label("Second prompt")).to_have_value(PROMPTS[1])
    page.get_by_label("Prompts, one a line").fill(f"{PROMPTS[0]}\n{LONG}")
    expect(page.get_by_label("Second prompt")).to_have_value(LONG)
    begin(page)
    expect_done(page)
    key = page.locator("#key li").nth(1)
    expect(key).to_have_attribute("title", LONG)
    assert key.inner_text() != LONG and key.inner_text().endswith("lost now")


def test_pictures_of_the_trajectories_measured_are_shown_if_one_asks_for_them(
    painter: Visitor,
) -> None:
    page = painter.open()
    short(page)
    page.get_by_text("More settings").click()
    page.get_by_label("Noise of the pictures").select_option("false")
    expect(page.locator("#cost")).to_contain_text("112 evaluations")  # not 336, with the pairs
    begin(page)
    expect_done(page)
    expect(page.locator(".sample")).to_have_count(8)
    assert samples(page) == [""] * 8


def test_a_prompt_that_is_there_twice_is_refused_beside_the_field(painter: Visitor) -> None:
    painter.expected = "422"
    page = painter.open()
    short(page)
    page.get_by_label("Prompts, one a line").fill("A chair\nA chair")
    error = page.locator("[data-field='params.prompts'] > .error")
    expect(error).to_have_text("'A chair' is there twice")
    page.get_by_label("Prompts, one a line").fill("")
    expect(error).to_contain_text("2 to 64 prompts")
