"""Lines and tables on the terminal. Names are of anybody: what would steer a terminal is escaped."""

import copy
import dataclasses
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console, ConsoleDimensions
from rich.measure import Measurement
from rich.progress import track
from rich.table import Column, Table

Item = TypeVar("Item")


class Screen(Console):
    """Standard output, whose reader may leave: the command line decides what happens then."""

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and rows: see `usable`."""
        return usable(super().size)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        """Columns and rows from now on."""
        self.width, self.height = new_size

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1."""
        raise BrokenPipeError


NARROWEST = 20  # characters of a line


def usable(size: tuple[int, int]) -> ConsoleDimensions:
    """Columns and rows of a terminal; 80 and 25 where it says less than can be: with COLUMNS=0, as where programs are
    built, rich prints nothing at all."""
    columns, rows = size
    return ConsoleDimensions(columns if columns >= NARROWEST else 80, rows if rows > 0 else 25)


console = Screen(highlight=False, soft_wrap=True, markup=False, emoji=False)  # names are shown as they are
MAX_WIDTH = 200  # characters of a table
GAP = 2  # characters between columns
ROWS = 100  # of a table; the rest is counted, since measuring 10,000 takes seconds
TEXT_WIDTH = 24  # characters to which a column of words may shrink
STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and those that change the direction of writing."""
FIXED_SPACE = "\N{NO-BREAK SPACE}"


def say(text: str, wrap: bool = True) -> None:
    """Print a text. On a terminal long lines are wrapped between words; elsewhere, and without `wrap`, they stay."""
    text = visible(text)
    console.print(wrapped(text, console.width) if wrap and console.is_terminal else text)


def warn(text: str, width: int | None = None) -> None:
    """Print a text on standard error. On a terminal of `width` characters lines are wrapped between words."""
    text = visible(text, getattr(sys.stderr, "encoding", None))
    print(wrapped(text, width) if width and sys.stderr.isatty() else text, file=sys.stderr)


def visible(text: str, encoding: object = None) -> str:
    """Text without the characters that steer a terminal, and without those that its encoding (by default that of
    standard output) does not have: these are shown as `\\x1b` and `\\u732b`."""
    harmless = STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    known = encoding if isinstance(encoding, str) else console.encoding  # streams of notebooks may have none
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


def table_of(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> Table:
    """A table of the first ROWS rows, and the number of the others. Columns whose title begins with `#` hold numbers:
    they are aligned right and never wrapped."""
    rows = list(rows)
    table = Table(title=title and visible(title), title_justify="left", box=None, pad_edge=False)
    if len(rows) > ROWS:
        table.caption, table.caption_justify = f"and {len(rows) - ROWS:,} more", "left"
    for name in columns:
        number = name.startswith("#")
        table.add_column(name.removeprefix("#"), justify="right" if number else "left", no_wrap=number)
    for row in rows[:ROWS]:
        table.add_row(*(visible(cell).replace("\n", "\\n") for cell in row))
    return table


def print_table(table: Table) -> None:
    """Print all of a table, as wide as its content. On a narrow terminal words are wrapped in their columns, and where
    numbers still do not fit, the columns follow in several blocks, each with the first column."""
    width = console.width if console.is_terminal else MAX_WIDTH
    first, *rest = table.columns
    blocks = [[first]]
    for column in rest:
        if console.is_terminal and len(blocks[-1]) > 1 and minimum([*blocks[-1], column]) > width:
            blocks.append([first])
        blocks[-1].append(column)
    for block in blocks:
        part = copy.copy(table)
        part.columns = [dataclasses.replace(column, _index=index) for index, column in enumerate(block)]
        part.width = min(width, Measurement.get(console, console.options.update(max_width=MAX_WIDTH), part).maximum)
        console.print(part)


def minimum(block: Sequence[Column]) -> int:
    """Characters that columns need side by side."""
    total = -GAP
    for column in block:
        width = max(len(str(cell)) for cell in (column.header, *column.cells))
        total += GAP + (width if column.no_wrap else min(width, TEXT_WIDTH))
    return total


def tracked(items: Sequence[Item], text: str) -> Iterable[Item]:
    """The items one by one, with a bar and the time left on a terminal; elsewhere nothing is shown."""
    return track(items, text, console=console, transient=True, disable=not console.is_terminal)
