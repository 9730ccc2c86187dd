"""Lines and tables on the terminal."""

import copy
import dataclasses
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.progress import track
from rich.table import Column, Table

Item = TypeVar("Item")


class Screen(Console):
    """Standard output, whose reader may leave: the command line decides what happens then."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1."""
        raise BrokenPipeError


console = Screen(highlight=False, soft_wrap=True, markup=False, emoji=False)  # names are shown as they are
MAX_WIDTH = 200  # characters of a table
GAP = 2  # characters between columns
TEXT_WIDTH = 24  # characters to which a column of words may shrink
FIXED_SPACE = "\N{NO-BREAK SPACE}"


def say(text: str, wrap: bool = True) -> None:
    """Print a text. On a terminal long lines are wrapped between words; elsewhere, and without `wrap`, they stay."""
    console.print(wrapped(text, console.width) if wrap and console.is_terminal else text)


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
    """A table. Columns whose title begins with `#` hold numbers: they are aligned right and never wrapped."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        number = name.startswith("#")
        table.add_column(name.removeprefix("#"), justify="right" if number else "left", no_wrap=number)
    for row in rows:
        table.add_row(*row)
    return table


def print_table(table: Table) -> None:
    """Print all of a table. On a narrow terminal words are wrapped in their columns, and where numbers still do not
    fit, the columns follow in several blocks, each with the first column."""
    if not console.is_terminal:
        console.print(sized(table, MAX_WIDTH))
        return
    first, *rest = table.columns
    block = [first]
    for column in rest:
        if len(block) > 1 and minimum([*block, column]) > console.width:
            console.print(sized(part(table, block), console.width))
            block = [first]
        block.append(column)
    console.print(sized(part(table, block), console.width))


def minimum(block: Sequence[Column]) -> int:
    """Characters that columns need side by side."""
    total = -GAP
    for column in block:
        width = max(len(str(cell)) for cell in (column.header, *column.cells))
        total += GAP + (width if column.no_wrap else min(width, TEXT_WIDTH))
    return total


def part(table: Table, block: Sequence[Column]) -> Table:
    """The table with some of its columns."""
    result = copy.copy(table)
    result.columns = [dataclasses.replace(column, _index=index) for index, column in enumerate(block)]
    return result


def sized(table: Table, width: int) -> Table:
    """The table as wide as its content, at most `width` characters."""
    table.width = min(width, Measurement.get(console, console.options.update(max_width=MAX_WIDTH), table).maximum)
    return table


def tracked(items: Sequence[Item], text: str) -> Iterable[Item]:
    """The items one by one, with a bar and the time left on a terminal; elsewhere nothing is shown."""
    return track(items, text, console=console, transient=True, disable=not console.is_terminal)
