"""Tables in Markdown, and documents with parts that are made by programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pocketrcnn.errors import UserError
from pocketrcnn.report import phrases


def between(text: str, marker: str, content: str) -> str:
    """The text with other content between `<!-- marker -->` and `<!-- /marker -->`."""
    start, stop = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
    if text.count(start) != 1 or text.count(stop) != 1:
        raise UserError(f"the document needs one pair of {start.strip()} and {stop}")
    head, _, rest = text.partition(start)
    return f"{head}{start}\n{content}\n{stop}{rest.partition(stop)[2]}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; columns whose name begins with `>` are aligned to the right."""
    rule = ["---:" if name.startswith(">") else "---" for name in header]
    lines = [[name.removeprefix(">") for name in header], rule, *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text.replace(phrases.NBSP, " ")
