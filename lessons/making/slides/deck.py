"""Slides as one HTML file that loads nothing and runs nothing but its own script."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pocketrcnn.report import html

from .. import cells
from ..execution import ROOT, executed
from .rendering import DARK, LIGHT, code_style
from .splitting import Slide, slides

HERE = Path(__file__).parent
OUT = ROOT / "build" / "slides"
ANOTHER = "name another folder"


def write(lesson: Path, folder: Path) -> str:
    """Make the slides of a lesson, and say so in a line. Raises UserError where it fails."""
    made = slides(executed(lesson))
    path = folder / f"{lesson.stem}.html"
    html.write(page(cells.title(lesson), made), path, ANOTHER)
    return f"{path}: {len(made)} slides"


def page(title: str, made: list[Slide]) -> str:
    """The file. The same slides give the same text."""
    style, script = style_sheet(), file("deck.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["html"] = Markup
    rendered = environment.from_string(file("deck.html")).render(
        title=title, slides=made, style=Markup(style), script=Markup(script), policy=html.policy(style, script)
    )
    return rendered + "\n"


def style_sheet() -> str:
    """How the slides look; code has other colours in the dark."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{\n{code_style(DARK)}\n}}"
    return "\n".join((code_style(LIGHT), dark, file("deck.css")))


def file(name: str) -> str:
    """One of the files beside this one."""
    return (HERE / name).read_text(encoding="utf-8")
