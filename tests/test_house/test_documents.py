"""README, handbook and CONTRIBUTING hold together: links, anchors, paths, one text in one place."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from handbook import CONTRIBUTING, DOCUMENTS, GUIDE, PAGES, ROOT
from markdown_it import MarkdownIt

from entroscope.api.handbook.pages import contents
from entroscope.api.handbook.rendering import rendered
from entroscope.protocol.quantities import CALIBRATED, DROPPED, SHOWN, Quantity

#: What looks like a path inside the repository, in text and code.
REPOSITORY_PATH = re.compile(
    r"(?<![\w/.])(?:server|workers|frontend|tests|\.ci|\.github)/[\w./-]*\w"
)
#: Headings of one page that another page or the program links to are found by these ids.
IDS = re.compile(r'id="([^"]+)"')

by_name = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS]
)


def links(document: Path) -> Iterator[str]:
    """Yield every address in a document, of links and of pictures."""
    for token in MarkdownIt("commonmark").enable("table").parse(document.read_text("utf-8")):
        for child in token.children or ():
            for name in ("href", "src"):
                if name in child.attrs:
                    yield str(child.attrs[name])


def anchors(document: Path) -> set[str]:
    return set(IDS.findall(rendered(document.read_text("utf-8"), base="", index="").body))


@by_name
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(document: Path) -> None:
    for link in links(document):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            assert "." in parts.netloc, link
            continue
        target = (document.parent / parts.path).resolve() if parts.path else document
        assert target.is_file(), link
        assert not parts.fragment or parts.fragment in anchors(target), link


@by_name
def test_a_link_inside_the_handbook_leads_to_what_the_program_serves(document: Path) -> None:
    for link in links(document) if document.parent == GUIDE else ():
        path = urlsplit(link).path
        served = (GUIDE / path).resolve().is_relative_to(GUIDE)
        assert urlsplit(link).scheme or served, link


@by_name
def test_every_path_of_the_repository_that_is_named_exists(document: Path) -> None:
    for path in REPOSITORY_PATH.findall(document.read_text("utf-8")):
        assert (ROOT / path).exists(), path


def test_the_table_of_contents_has_every_page_by_its_title() -> None:
    entries = contents((GUIDE / "README.md").read_text("utf-8"))
    titles = {path.stem: path.read_text("utf-8").partition("\n")[0] for path in PAGES}
    assert {slug: f"# {title}" for title, slug in entries} == titles


@pytest.mark.parametrize("quantity", [*SHOWN, DROPPED, *CALIBRATED], ids=lambda one: one.name)
def test_every_quantity_that_a_result_has_is_explained(quantity: Quantity) -> None:
    page, _, heading = quantity.anchor.partition("#")
    assert heading in anchors(GUIDE / f"{page}.md")


def test_contributing_is_the_handbook_s_page() -> None:
    page = (GUIDE / "contributing.md").read_text("utf-8")
    from_there = re.sub(r"\]\((?=[\w-]+\.md)", "](../frontend/guide/", page)
    assert CONTRIBUTING.read_text("utf-8") == from_there


def test_the_figures_are_small_and_each_is_shown() -> None:
    shown = {GUIDE / link for page in PAGES for link in links(page) if link.startswith("figures/")}
    figures = set((GUIDE / "figures").iterdir())
    assert figures == shown
    assert all(path.stat().st_size < 61_000 for path in figures)


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = re.search(r"^## (.+)$", (GUIDE / "changes.md").read_text("utf-8"), re.MULTILINE)
    assert newest and newest[1] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    (cite,) = (ROOT / "frontend").rglob("cite.js")
    assert f"version = {{{version}}}" in cite.read_text("utf-8")
