"""Lines on the terminal, or to the logger `pocketrcnn`. Names are of anybody: what would steer a terminal is escaped.

Nothing but Python is needed here: an exported detector runs where rich is not installed. `screen` has tables and bars.
"""

import logging
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")

NARROWEST = 20  # characters of a line
STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and those that change the direction of writing."""
FIXED_SPACE = "\N{NO-BREAK SPACE}"


logger = logging.getLogger("pocketrcnn")
_silent: ContextVar[bool] = ContextVar("silent", default=False)


class Size(NamedTuple):
    """Columns and rows of a terminal."""

    width: int
    height: int


def usable(size: tuple[int, int]) -> Size:
    """Columns and rows of a terminal; 80 and 25 where it says less than can be: with COLUMNS=0, as where programs are
    built, rich prints nothing at all."""
    columns, rows = size
    return Size(columns if columns >= NARROWEST else 80, rows if rows > 0 else 25)


@contextmanager
def silent() -> Iterator[None]:
    """Nothing is said in this block, and no bar is shown; warnings remain."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def to_logger() -> bool:
    """Whether lines go to the logger in place of the terminal: once it has got a level or a handler of its own."""
    return bool(logger.level or logger.handlers)


def redirected() -> bool:
    """Whether nothing is printed: lines go to the logger, or nowhere."""
    return _silent.get() or to_logger()


def shows_bars() -> bool:
    """Whether a person reads along on a terminal."""
    return not redirected() and sys.stdout.isatty()


def say(text: str, wrap: bool = True) -> None:
    """Print a text. On a terminal long lines are wrapped between words; elsewhere, and without `wrap`, they stay."""
    if _silent.get():
        return
    if to_logger():
        logger.info("%s", visible(text))
        return
    text = visible(text, getattr(sys.stdout, "encoding", None))
    text = wrapped(text, usable(shutil.get_terminal_size()).width) if wrap and sys.stdout.isatty() else text
    print(f"{text}\n", end="", flush=True)  # a reader who has left is noticed; one piece: see `warn`


def warn(text: str, width: int | None = None) -> None:
    """Print a text on standard error. On a terminal of `width` characters lines are wrapped between words."""
    if to_logger():
        logger.warning("%s", visible(text))
        return
    text = visible(text, getattr(sys.stderr, "encoding", None))
    text = wrapped(text, width) if width and sys.stderr.isatty() else text
    print(f"{text}\n", end="", file=sys.stderr)  # one piece: under `python -u` lines of two processes ran into one


def visible(text: str, encoding: object = None) -> str:
    """Text without the characters that steer a terminal, and without those that its encoding (by default UTF-8) does
    not have: these are shown as `\\x1b` and `\\u732b`."""
    harmless = STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    known = encoding if isinstance(encoding, str) else "utf-8"  # streams of notebooks may have none
    return harmless.encode(known, "backslashreplace").decode(known)


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most `width` characters, never broken within a word or between a number and its unit.

    Further lines of a paragraph are indented by two more spaces.
    """
    fixed = re.sub(r"(?<=\d) (?=\S)", FIXED_SPACE, text)
    lines = [
        textwrap.fill(
            line,
            width,
            subsequent_indent=" " * (len(line) - len(line.lstrip()) + 2),
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        for line in fixed.split("\n")
    ]
    return "\n".join(lines).replace(FIXED_SPACE, " ")


def tracked(items: Iterable[Item], text: str, total: int | None = None) -> Iterable[Item]:
    """The items one by one, with a bar and the time left on a terminal; elsewhere nothing is shown. total: how many
    they are, where that is not known before."""
    if not shows_bars() or find_spec("rich") is None:
        return items
    from rich.progress import track

    return track(items, text, total, transient=True)
