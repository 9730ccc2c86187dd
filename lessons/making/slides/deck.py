"""Slides as one HTML file that loads nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pocketrcnn.data.files import write_atomically

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
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page(cells.title(lesson), made).encode(), ANOTHER)
    return f"{path}: {len(made)} slides"


def page(title: str, made: list[Slide]) -> str:
    """The file. The same slides give the same text."""
    style, script = style_sheet(), file("deck.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["html"] = Markup
    rendered = environment.from_string(file("deck.html")).render(
        title=title, slides=made, style=Markup(style), script=Markup(script), policy=policy(style, script)
    )
    return rendered + "\n"


def style_sheet() -> str:
    """How the slides look; code has other colours in the dark."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{\n{code_style(DARK)}\n}}"
    return "\n".join((code_style(LIGHT), dark, file("deck.css")))


def policy(style: str, script: str) -> str:
    """Nothing is loaded; pictures are in the file."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    rules = (f"{name} 'sha256-{known}'" for name, known in zip(("style-src", "script-src"), hashes, strict=True))
    return "; ".join(("default-src 'none'", "img-src data:", *rules, "base-uri 'none'", "form-action 'none'"))


def file(name: str) -> str:
    """One of the files beside this one."""
    return (HERE / name).read_text(encoding="utf-8")
