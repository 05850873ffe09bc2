"""Markdown that merchants write in Polar, as HTML that is safe to show."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

# Emphasis, links, lists, code. No raw HTML, and no images: they would come from elsewhere.
RULES = ["emphasis", "link", "autolink", "list", "backticks", "escape", "entity", "newline"]


@lru_cache(maxsize=256)
def to_html(text: str) -> Markup:
    """Return the HTML of a short text. HTML in it is shown as it was typed; a heading is a bold line.

    Links lead to web and mail addresses only; ``markdown-it`` refuses the dangerous ones.
    """
    reader = _reader()
    tokens = reader.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:  # The card has its own outline.
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "is-heading")
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704


@cache
def _reader() -> "MarkdownIt":
    """Made when first needed: its import takes 50 ms, and most commands show no page."""
    from markdown_it import MarkdownIt

    return MarkdownIt("zero", {"breaks": True}).enable([*RULES, "heading", "lheading"])
