"""JSON of anybody, read or refused: the one place for what a text can do to the reader. No torch here."""

import json
import re
from typing import Any

HALF_PAIR = re.compile(r"\\u[dD][89abAB]")  # perhaps half of a character, which no file can hold


def decoded(text: str) -> Any:
    """The content of a JSON text. Raises ValueError for whatever is none, or nested deeper than Python reads."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if HALF_PAIR.search(text):
        json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")  # UnicodeEncodeError is a ValueError
    return content
