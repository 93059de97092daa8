"""The theory bench and sweeps in the browser."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from looks import EVERYWHERE, KEPT, NARROW, expect_to_fit, photograph
from playwright.sync_api import Page, expect
from visitor import WIDE, Scheme, Size, Visitor, begin_short, expect_done, prepare, state
from waiting import eventually

DIMENSIONS = (10, 100, 1000) if KEPT else (4, 16, 64)
RUN = {"trajectories": "512" if KEPT else "48", "steps": "64" if KEPT else "24"}
#: Names and points of the lines of a chart.
LINES = """e => Object.fromEntries((e.data ?? []).filter(({name}) => name)
    .map(({name, x, y}) => [name, {x, y}]))"""
#: Whether a chart is as high as its place: it has been drawn since it got it.
FILLS = "e => Math.abs(e.querySelector('.main-svg').clientHeight - e.clientHeight) < 2"
#: Places of the dotted marks of a chart.
MARKS = "e => e.layout.shapes.filter(({line}) => line?.dash === 'dot').map(({x0}) => x0)"


def lines(page: Page, chart: str) -> dict[str, Any]:
    found: dict[str, Any] = page.locator(f"#{chart}").evaluate(LINES)
    return found


def marks(page: Page, chart: str) -> list[float]:
    found: list[float] = page.locator(f"#{chart}").evaluate(MARKS)
    return found


def names() -> list[str]:
    return [f"d = {dimension:,}" for dimension in DIMENSIONS]


def choose_own(page: Page, vary: object) -> None:
    """Go to the theory bench and fill in a sweep over pairs of Gaussians."""
    prepare(page, "gaussian-mixture", **RUN)
    page.get_by_label("Kind").select_option("pair")
    page.click("#bench-link")
    page.get_by_label("Custom sweep").check()
    page.fill("#vary", vary if isinstance(vary, str) else json.dumps(vary))


def begin_sweep(page: Page) -> str:
    choose_own(page, [{"params": {"dimension": dimension}} for dimension in DIMENSIONS])
    expect(page.locator("#sweep-cost")).to_contain_text("3 runs")
    page.click("#run-sweep")
    expect(page).to_have_url(re.compile(r"#/sweeps/[0-9a-f]+"))
    return page.url


@pytest.fixture(scope="module")
def finished() -> dict[str, str]:
    """Where the sweep is, once it has been made."""
    return {}


def swept(
    visitor: Visitor,
    finished: dict[str, str],
    scheme: Scheme = "light",
    size: Size = WIDE,
    axis: str = "vp_time",
) -> Page:
    """Open a finished sweep over the dimension; the first to ask makes it."""
    page = visitor.open(finished.get("path", "/"), scheme, size)
    if "path" not in finished:
        finished["path"] = begin_sweep(page).removeprefix(visitor.address)
    expect_done(page)
    page.check(f"input[value={axis}]")
    expect(page.locator("#widths .points path").nth(5)).to_be_attached()
    eventually(lambda: all(known(page, name) == int(RUN["steps"]) for name in names()))
    time = "VP time over" if axis == "scaled_time" else "VP time t"
    expect(page.locator("#production .xtitle")).to_contain_text(time)
    eventually(lambda: page.locator("#production").evaluate(FILLS))
    return page


def known(page: Page, name: str) -> int:
    """Return at how many noise levels a run's curve is drawn."""
    return sum(value is not None for value in lines(page, "entropy").get(name, {"y": []})["y"])


def test_every_run_of_a_sweep_is_a_line_with_its_exact_curve(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = swept(visitor, finished)
    expect(page.locator(".curve")).to_have_text(names())
    for chart in ("entropy", "production"):
        assert set(lines(page, chart)) == {*names(), *(f"{name}, exact" for name in names())}
    expect(page.locator("#sweep-runs li")).to_have_count(3)


def test_speciation_is_marked_on_every_axis(visitor: Visitor, finished: dict[str, str]) -> None:
    page = swept(visitor, finished)
    assert marks(page, "entropy") == pytest.approx([0.5 * math.log(d) for d in DIMENSIONS])
    page.check("input[value=sigma]")
    eventually(lambda: marks(page, "entropy") == pytest.approx([math.sqrt(d) for d in DIMENSIONS]))
    page.check("input[value=scaled_time]")
    eventually(lambda: marks(page, "entropy") == [1])
    expect(page.locator("#production .ytitle")).to_have_text("production (bits per u)")


def test_the_band_is_as_wide_in_time_for_every_dimension(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = swept(visitor, finished)
    theory, time = page.locator("#widths").evaluate("e => e.data.slice(0, 2)")
    assert time["x"] == list(DIMENSIONS)
    assert theory["y"] == pytest.approx([0.30830837] * len(theory["y"]))
    assert min(time["error_y"]["array"]) > 0
    assert time["y"] == pytest.approx([0.308] * 3, abs=0.3)


def test_a_reload_shows_the_sweep_as_it_was(visitor: Visitor, finished: dict[str, str]) -> None:
    page = swept(visitor, finished, axis="scaled_time")
    before = lines(page, "entropy"), lines(page, "production"), lines(page, "widths")
    page.reload()
    eventually(
        lambda: (lines(page, "entropy"), lines(page, "production"), lines(page, "widths")) == before
    )
    expect(page.locator("input[value=scaled_time]")).to_be_checked()


def test_a_run_of_a_sweep_is_looked_at_alone_and_the_way_leads_back(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = swept(visitor, finished, axis="scaled_time")
    page.locator("#sweep-runs a").nth(1).click()
    expect(page.locator("#run-about")).to_contain_text("all 2 classes")
    expect(page.locator("input[value=vp_time]")).to_be_checked()
    eventually(lambda: len(lines(page, "entropy")) == 2)
    page.go_back()
    expect(page.locator("#sweep-runs li")).to_have_count(3)
    expect(page.locator(".curve")).to_have_text(names())


def test_a_run_is_hidden_in_the_legend_with_the_keyboard(
    visitor: Visitor, finished: dict[str, str]
) -> None:
    page = swept(visitor, finished)
    page.locator(".curve").first.focus()
    page.keyboard.press("Enter")
    eventually(lambda: names()[0] not in lines(page, "entropy"))
    assert len(marks(page, "entropy")) == 2
    page.locator("#stack").focus()
    page.keyboard.press("End")
    expect(page.locator("#readout")).to_contain_text(f"{names()[1]}, ")


@EVERYWHERE
def test_a_sweep_fits_its_screen(
    visitor: Visitor, finished: dict[str, str], pictures: Path, size: Size, scheme: Scheme
) -> None:
    page = swept(visitor, finished, scheme, size)
    for chart in ("entropy", "production", "widths"):
        for title in page.locator(f"#{chart} :is(.xtitle, .ytitle, .y2title)").all():
            expect(title).to_contain_text("(")
    expect_to_fit(page, size)
    photograph(page, pictures, "sweep-", size, scheme)


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_the_theory_bench_fits_its_screen(
    visitor: Visitor, finished: dict[str, str], pictures: Path, size: Size, scheme: Scheme
) -> None:
    if "path" not in finished:
        swept(visitor, finished).close()
    page = visitor.open("/#/sweeps", scheme, size)
    expect(page.locator("#sweep-cost")).to_contain_text("evaluations")
    expect(page.locator("#sweeps .run-line").first).to_be_visible()
    expect_to_fit(page, size)
    photograph(page, pictures, "bench-", size, scheme)


def test_every_preset_sweep_tells_what_it_is_and_what_it_costs(visitor: Visitor) -> None:
    page = visitor.open()
    page.click("#bench-link")
    ready = page.locator("#presets label")
    expect(ready.nth(2)).to_be_visible()
    told = set()
    for preset in ready.all()[:-1]:
        preset.click()
        expect(page.locator("#sweep-cost")).to_have_text(re.compile(r"\d+ runs?, [\d,]+ eval"))
        told.add(page.locator("#preset-about").inner_text())
    assert len(told) == ready.count() - 1
    assert all(told)


def test_what_is_wrong_with_a_sweep_is_said_beside_its_list(visitor: Visitor) -> None:
    visitor.expected = "Failed to load resource"
    page = visitor.open()
    choose_own(page, "[{")
    error = page.locator("#vary-error")
    for vary, said in (
        ("[{", "vary: is not JSON"),
        ('{"seed": 1}', "must be a JSON list with one change a run"),
        ('[{"seed": 1}, 2]', "vary.1: must be an object of settings, got 2"),
        ('[{}, {"params": {"dimension": 0}}]', "vary.1.params.dimension"),
    ):
        page.fill("#vary", vary)
        expect(error).to_contain_text(said)
        expect(page.locator("#vary")).to_have_attribute("aria-invalid", "true")
        page.click("#run-sweep")
        expect(page.locator("#vary")).to_be_focused()
        expect(page).to_have_url(re.compile("#/sweeps$"))
    page.fill("#vary", '[{"seed": 1}]')
    expect(page.locator("#sweep-cost")).to_contain_text("1 run,")
    expect(error).to_be_hidden()


def test_a_sweep_under_way_is_watched_and_cancelled(visitor: Visitor) -> None:
    page = visitor.open()
    choose_own(page, [{"trajectories": 1_000_000, "seed": seed} for seed in (1, 2)])
    page.click("#run-sweep")
    expect(state(page)).to_have_text("running")
    eventually(lambda: known(page, "seed = 1") > 0)
    page.click("#bench-link")
    line = page.locator("#sweeps .run-line").first
    expect(line).to_have_attribute("data-state", "running")
    line.get_by_role("button").click()
    expect(line).to_have_attribute("data-state", "cancelled")
    line.get_by_role("link").click()
    expect(state(page)).to_have_text("cancelled")
    expect(page.locator("#sweep-cancel")).to_be_hidden()
    eventually(lambda: known(page, "seed = 1") > 0)


def test_an_unknown_sweep_is_said_to_be_unknown(visitor: Visitor) -> None:
    visitor.expected = "Failed to load resource"
    page = visitor.open("/#/sweeps/" + "0" * 32)
    expect(page.locator("#run-name")).to_have_text("No such sweep")
    expect(page.locator("#stack")).to_be_hidden()


def test_a_run_of_a_mixture_has_its_exact_curve_under_the_estimate(visitor: Visitor) -> None:
    page = visitor.open()
    begin_short(page)
    expect_done(page)
    for chart in ("entropy", "production"):
        assert {name.rpartition(", ")[2] for name in lines(page, chart)} >= {"exact"}
    dashes = "e => [...e.querySelectorAll('.lines path')].map(p => p.style.strokeDasharray)"
    drawn = page.locator("#entropy").evaluate(dashes)
    assert "px" in drawn[-1]
