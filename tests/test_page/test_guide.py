"""The handbook in a browser: on wide and narrow screens, in light and dark, and on paper."""

from pathlib import Path

import pytest
from handbook import PAGES
from looks import EVERYWHERE, NARROW, photograph
from visitor import Scheme, Size, Visitor

OVERFLOW = "e => e.scrollWidth - e.clientWidth"


@EVERYWHERE
def test_no_page_is_wider_than_the_screen(
    visitor: Visitor, pictures: Path, size: Size, scheme: Scheme
) -> None:
    for path in PAGES:
        page = visitor.read(f"/guide/{path.stem}", scheme, size)
        assert page.locator("html").evaluate(OVERFLOW) == 0, path.stem
        assert page.locator("main img").evaluate_all("all => all.every(i => i.naturalWidth > 0)")
        photograph(page, pictures, f"guide-{path.stem}-", size, scheme)
        page.close()


def test_the_contents_are_one_press_away_on_a_narrow_screen(visitor: Visitor) -> None:
    page = visitor.read("/guide/measured", size=NARROW)
    page.get_by_role("link", name="Contents", exact=True).first.click()
    contents = page.get_by_role("navigation", name="Contents of the handbook")
    contents.get_by_role("link", name="Your own model").click()
    assert page.url.endswith("/guide/own-model")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Your own model")


@pytest.mark.parametrize("anchor", ["production", "error-of-the-steps"])
def test_a_link_to_a_quantity_opens_its_paragraph(visitor: Visitor, anchor: str) -> None:
    page = visitor.read(f"/guide/measured#{anchor}")
    top = page.locator(f"#{anchor}").evaluate("e => e.getBoundingClientRect().top")
    assert 0 < top < 200


def test_a_printed_page_has_neither_bar_nor_contents(visitor: Visitor) -> None:
    page = visitor.read("/guide/measured")
    page.emulate_media(media="print")
    assert not page.locator(".bar").is_visible()
    assert not page.locator(".contents").is_visible()
    assert page.get_by_role("heading", name="Production").is_visible()
