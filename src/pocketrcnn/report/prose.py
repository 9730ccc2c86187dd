"""The sentences of a page, in Markdown files beside the code that computes their numbers."""

import re
from functools import cached_property
from importlib.resources import files
from typing import Any

from . import phrases
from .blocks import Items

FILTERS = ["count", "digits", "duration", "fixed", "listed", "millions", "percent", "plural", "sentence", "several"]


class Prose:
    """A file of texts: `## name` begins each, and Jinja puts numbers into it (`{{ n | several("image") }}`).

    White space does not count, an empty line begins a paragraph. A value that a text lacks raises UndefinedError.
    """

    def __init__(self, module: str, name: str) -> None:
        """The file `name` in the folder `text` beside a module."""
        self._package, self._name = module.rpartition(".")[0], name

    @cached_property
    def _texts(self) -> dict[str, Any]:
        from jinja2 import Environment, StrictUndefined

        environment = Environment(undefined=StrictUndefined)  # the template of the page escapes
        environment.filters |= {name: getattr(phrases, name) for name in FILTERS}
        content = files(self._package).joinpath("text", self._name).read_text("utf-8")
        parts = (part.partition("\n") for part in re.split(r"^## ", content, flags=re.MULTILINE)[1:])
        return {name.strip(): environment.from_string(body) for name, _, body in parts}

    def paragraphs(self, name: str, /, **values: Any) -> list[str]:
        """The paragraphs of a text, each on one line; none where it is empty for these values."""
        parts = re.split(r"\n[ \t]*\n", self._texts[name].render(values))
        return [text for part in parts if (text := re.sub(r"[ \t\n]+", " ", part).strip(" "))]

    def __call__(self, name: str, /, **values: Any) -> str:
        """A text as one paragraph."""
        return " ".join(self.paragraphs(name, **values))

    def items(self, **values: Any) -> Items:
        """All texts of the file as a list of terms."""
        return Items([self(name, **values) for name in self._texts], list(self._texts))
