"""Markdown of the handbook to HTML: anchors, tables, formulas, links between pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from entroscope.api.handbook.spec_fields import SpecField, spec_fields
from entroscope.protocol.spec import Spec

#: A link to another page of the handbook, as GitHub follows it too.
PAGE_LINK = re.compile(r"([a-z-]+)\.md(#[\w-]+)?")
#: Its contents stand in README.md, which GitHub shows below the folder.
INDEX = "README"
#: The fenced block that stands for the list of settings.
SPEC_FIELDS = "{spec-fields}"
#: A function written without parentheses, whose argument would touch it.
NAMED_FUNCTION = re.compile(r"(<mi>(?:ln|log)</mi>)(?!</m|<mo)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One page.

    Attributes:
        body: HTML.
        sections: anchor and title of each second-level heading.
    """

    body: str
    sections: tuple[tuple[str, str], ...]


def rendered(markdown: str, *, base: str, index: str) -> Rendered:
    """Return a page as HTML.

    Args:
        base: what leads from the page's address to the other pages: "" or "guide/".
        index: what leads to the table of contents.
    """
    reader = _reader()
    tokens = reader.parse(markdown, {})
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", page_address(str(child.attrs["href"]), base, index))
    return Rendered(reader.renderer.render(tokens, reader.options, {}), _sections(tokens))


def page_address(link: str, base: str, index: str) -> str:
    """Return where a link leads inside the program; links to elsewhere stay as they are."""
    match = PAGE_LINK.fullmatch(link)
    if match is None:
        return index if link == f"{INDEX}.md" else link
    return f"{base}{match[1]}{match[2] or ''}"


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.use(anchors_plugin, max_level=4, permalink=True, permalinkSymbol="#")
    reader.use(dollarmath_plugin, double_inline=True, renderer=_formula)
    reader.add_render_rule("table_open", _open_table)
    reader.add_render_rule("table_close", _close_table)
    reader.add_render_rule("fence", _fence)
    return reader


def _sections(tokens: Sequence[Token]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(token.attrs["id"]), _plain(text))
        for token, text in pairwise(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    )


def _plain(inline: Token) -> str:
    """Return the text of a heading without its permalink."""
    words = (child for child in inline.children or () if child.type in ("text", "code_inline"))
    return "".join(child.content for child in words)


def _formula(tex: str, options: dict[str, Any]) -> str:
    mathml = convert(tex, display="block" if options["display_mode"] else "inline")
    return NAMED_FUNCTION.sub(r'\1<mspace width="0.17em"/>', mathml)


def _open_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """Open a table in a box of its own, which scrolls sideways on a narrow screen."""
    return '<div class="table" tabindex="0"><table>\n'


def _close_table(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    return "</table></div>\n"


def _fence(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    token = tokens[index]
    if token.info.strip() == SPEC_FIELDS:
        return settings_list()
    return f'<pre tabindex="0"><code>{escape(token.content, quote=False)}</code></pre>\n'


def settings_list() -> str:
    """Return every setting of a run as a list of definitions, each with its anchor."""
    inline = MarkdownIt("commonmark", {"html": False})
    fields = spec_fields(Spec.model_json_schema())
    items = "\n".join(_setting(field, inline) for field in fields)
    return f'<dl class="settings">\n{items}\n</dl>\n'


def _setting(field: SpecField, inline: MarkdownIt) -> str:
    facts = [field.kind + (f", in {field.unit}" if field.unit else "")]
    facts.append("required" if field.default is None else f"default {field.default}")
    return (
        f'<dt id="{field.anchor}"><code>{escape(field.path)}</code> '
        f'<a class="header-anchor" href="#{field.anchor}">#</a></dt>\n'
        f"<dd>{inline.renderInline(field.description)}"
        f'<p class="facts">{escape("; ".join(facts), quote=False)}</p></dd>'
    )
