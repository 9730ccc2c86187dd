"""Formulas of Markdown as MathML: browsers set it by themselves, without a script and without a font."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|(?<![\\$\w])\$(?=\S)(?P<inline>[^$\n]*?\S)\$(?![\d$])", re.DOTALL)
SPECIAL = re.compile(r"(?<=>)[^<>]+(?=<)")  # texts between tags
MARKS = {ord(mark): f"&#{ord(mark)};" for mark in "*_[]|\\`~^"}  # those that mean something to Markdown


def mathml(latex: str, display: str) -> str:
    """One formula. display: `inline` or `block`."""
    made = convert(latex.strip(), display=display)
    return SPECIAL.sub(lambda text: text[0].translate(MARKS), made.replace("\n", ""))


def with_formulas(text: str) -> str:
    """Markdown with its formulas made; `text` holds no code."""

    def made(found: re.Match[str]) -> str:
        display = "inline" if found["block"] is None else "block"
        return mathml(found["block"] or found["inline"], display)

    return FORMULA.sub(made, text)
