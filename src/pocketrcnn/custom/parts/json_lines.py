"""A part as JSON lines, one an image. No torch here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ...data.json_text import decoded
from .plan import Plan


@contextmanager
def writing(file: IO[Any], _: Plan) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Write a part: a function that adds an image."""

    def write(content: dict[str, Any]) -> None:
        file.write(json.dumps(content) + "\n")

    yield write


def reading(part: Path) -> Iterator[Any]:
    """The images of a part, one after the other. Raises OSError or ValueError where the file is damaged."""
    with part.open(encoding="utf-8") as lines:
        yield from map(decoded, lines)
