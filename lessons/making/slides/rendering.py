"""Markdown, formulas and code as HTML: formulas are MathML, which browsers set without a script."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer
from pygments.util import ClassNotFound

from pocketrcnn.errors import UserError, shown

LIGHT, DARK = "default", "github-dark"  # styles of Pygments
TAG = re.compile(r"<[^>]*>")


def formula(latex: str, options: dict[str, Any]) -> str:
    """A formula as MathML. Raises UserError for one that cannot be converted."""
    display = "block" if options["display_mode"] else "inline"
    try:
        made = str(convert(latex.strip(), display=display))
    except Exception as error:  # of many kinds, all its own
        raise UserError(f"the formula {shown(latex.strip())} cannot be converted ({type(error).__name__})") from error
    if unknown := re.search(r"\\\w*", TAG.sub(" ", made)):
        raise UserError(f"the formula {shown(latex.strip())} has {unknown[0]}, which is not known: write it without")
    return made


def code(source: str, language: str = "python", _: str = "") -> str:
    """Highlighted code, in a `pre`."""
    lexer = PythonLexer() if language == "python" else TextLexer()
    return str(highlight(source, lexer, HtmlFormatter(cssclass="code", wrapcode=True)))


def code_style(name: str) -> str:
    """The colours of code, as CSS. `name`: a style of Pygments."""
    try:
        return str(HtmlFormatter(style=name).get_style_defs(".code"))
    except ClassNotFound as error:
        raise AssertionError(f"Pygments has no style {name}") from error


def reader() -> MarkdownIt:
    """What reads Markdown: CommonMark, tables, formulas between `$`; HTML is text."""
    markdown = MarkdownIt("commonmark", {"html": False, "highlight": code}).enable("table")
    return markdown.use(dollarmath_plugin, renderer=formula, double_inline=True, allow_space=False)


def rendered(tokens: list[Token]) -> str:
    """Tokens as HTML, without links into the project: the file may be shown anywhere."""
    for token in tokens:
        token.children = _without_local_links(token.children) if token.children else token.children
    markdown = reader()
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _without_local_links(tokens: list[Token]) -> list[Token]:
    kept, outside = [], True
    for token in tokens:
        if token.type == "link_open":
            outside = str(token.attrGet("href")).startswith(("https://", "http://"))
        if outside or not token.type.startswith("link_"):
            kept.append(token)
        outside = outside or token.type == "link_close"
    return kept
