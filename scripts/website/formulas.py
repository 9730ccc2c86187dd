"""Formulas of Markdown as MathML: browsers set it by themselves, without a script and without a font."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

BLOCK = r"\$\$(?P<block>.+?)\$\$"
INLINE = r"(?<![\\$\w])\$(?=\S)(?P<inline>(?:(?!\n\s*\n)[^$])*?\S)\$(?![\d$])"  # within a paragraph
FORMULA = re.compile(f"{BLOCK}|{INLINE}", re.DOTALL)
SPECIAL = re.compile(r"(?<=>)[^<>]+(?=<)")  # texts between tags
MARKS = {ord(mark): f"&#{ord(mark)};" for mark in "*_[]|\\`~^"}  # those that mean something to Markdown


def mathml(latex: str, display: str) -> str:
    """One formula. display: `inline` or `block`. In a span: Markdown would end a paragraph at `<math`."""
    made = SPECIAL.sub(lambda text: text[0].translate(MARKS), convert(latex.strip(), display=display).replace("\n", ""))
    return f'<span class="formula">{made}</span>'


def with_formulas(text: str) -> str:
    """Markdown with its formulas made; `text` holds no code."""

    def made(found: re.Match[str]) -> str:
        display = "inline" if found["block"] is None else "block"
        return mathml(found["block"] or found["inline"], display)

    return FORMULA.sub(made, text)
