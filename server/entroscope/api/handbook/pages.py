"""The pages of the handbook: which there are, and each as a whole HTML document."""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

from entroscope.paths import page_folder
from entroscope.protocol.errors import NotFound

#: An entry of the table of contents: title and slug.
ENTRY = re.compile(r"^- \[(.+?)\]\(([a-z-]+)\.md\)", re.MULTILINE)


def guide_folder() -> Path:
    """Return the folder of the handbook's files."""
    return page_folder() / "guide"


def index_html() -> str:
    """Return the table of contents."""
    return _current("README", base="guide/", index="guide", root="")


def page_html(slug: str) -> str:
    """Return one page.

    Raises:
        NotFound: there is no such page.
    """
    if slug not in {slug for _, slug in contents(_read("README.md"))}:
        raise NotFound(f"no page {slug!r} in the handbook")
    return _current(slug, base="", index="../guide", root="../")


def contents(index: str) -> list[tuple[str, str]]:
    """Return title and slug of every page, in the order of the table of contents."""
    return ENTRY.findall(index)


def _read(name: str) -> str:
    return (guide_folder() / name).read_text(encoding="utf-8")


def _current(name: str, *, base: str, index: str, root: str) -> str:
    files = (f"{name}.md", "README.md", "frame.html")
    times = tuple((guide_folder() / file).stat().st_mtime_ns for file in files)
    return _document(name, base, index, root, times)


@lru_cache(maxsize=64)
def _document(name: str, base: str, index: str, root: str, times: Sequence[int]) -> str:
    """Return a page; `times`, when its files were written, only tells the versions apart."""
    from entroscope.api.handbook.rendering import rendered

    markdown = _read(f"{name}.md")
    page = rendered(markdown, base=base, index=index)
    entries = contents(_read("README.md"))
    return Template(_read("frame.html")).substitute(
        title=escape(markdown.partition("\n")[0].lstrip("# ")),
        body=page.body,
        root=root,
        index=index,
        contents=_navigation(entries, name, page.sections, base),
        neighbours=_neighbours(entries, name, base),
    )


def _navigation(
    entries: Sequence[tuple[str, str]], name: str, sections: Sequence[tuple[str, str]], base: str
) -> str:
    """Return the list of pages, with the sections of the one that is shown."""
    items = []
    for title, slug in entries:
        current = ' aria-current="page"' if slug == name else ""
        below = _section_list(sections) if current else ""
        items.append(f'<li><a href="{base}{slug}"{current}>{escape(title)}</a>{below}</li>')
    return f"<ul>{''.join(items)}</ul>"


def _section_list(sections: Sequence[tuple[str, str]]) -> str:
    items = (f'<li><a href="#{anchor}">{escape(title)}</a></li>' for anchor, title in sections)
    return f"<ul>{''.join(items)}</ul>"


def _neighbours(entries: Sequence[tuple[str, str]], name: str, base: str) -> str:
    """Return links to the page before and the page after."""
    slugs = [slug for _, slug in entries]
    at = slugs.index(name) if name in slugs else -1
    links = []
    for neighbour, rel in ((at - 1, "prev"), (at + 1, "next")):
        if 0 <= neighbour < len(slugs):
            title, slug = entries[neighbour]
            links.append(f'<a rel="{rel}" href="{base}{slug}">{escape(title)}</a>')
    return "".join(links)
