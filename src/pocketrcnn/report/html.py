"""From the blocks of a page to one self-contained HTML file."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..data.files import OUT, write_atomically, write_errors
from .blocks import Page

SCRIPTS = {
    "report": ("marks.js", "outcomes.js", "viewer.js"),
    "overlays": ("marks.js", "suppression.js", "overlays.js"),
}


def html(page: Page) -> str:
    """The page as text, with everything it shows inside. The same page gives the same text."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_file)
    )
    environment.filters["prose"] = _prose
    style, script = _file("page.css"), "".join(map(_file, SCRIPTS[page.script])) if page.data else ""
    inside = {name: Markup(text) for name, text in {"style": style, "script": script, "data": _json(page.data)}.items()}
    return environment.get_template("template.html").render(page=page, policy=policy(style, script), **inside)


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def policy(style: str, script: str) -> str:
    """What a page allows browsers: it may show images that are in it, and run its own script, if it has one; nothing
    can be loaded."""
    sources = {"style-src": style, "script-src": script}
    allowed = [f"{name} 'sha256-{_hash(text)}'" for name, text in sources.items() if text]
    return "; ".join(["default-src 'none'", "img-src data:", *allowed, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _json(data: Any) -> str:
    """Data inside of a script element, which nothing in a name can end."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")


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
