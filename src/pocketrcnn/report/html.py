"""From the blocks of a page to one self-contained HTML file."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from ..data.files import OUT, write_atomically, write_errors
from .blocks import Page


def html(page: Page) -> str:
    """The page as text, with everything it shows inside. The same page gives the same text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["prose"] = _prose
    template = environment.from_string(files(__package__).joinpath("template.html").read_text("utf-8"))
    return template.render(page=page)


def _prose(text: str) -> Any:
    """Escaped text in which `this` between backticks is code."""
    from markupsafe import Markup, escape

    parts = str(text).split("`")
    marked = (f"<code>{escape(part)}</code>" if i % 2 else str(escape(part)) for i, part in enumerate(parts))
    return Markup("".join(marked))


def write(text: str, path: Path, another: str = OUT) -> None:
    """Put a page at `path`, whole or not at all. Raises UserError where it cannot be. `another`: see `files`."""
    with write_errors(path.parent, another):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode("utf-8", "backslashreplace"), another)  # names of files need not be text
