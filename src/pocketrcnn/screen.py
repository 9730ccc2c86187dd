"""Tables and bars on the terminal, through rich."""

import copy
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import IO

from rich.console import Console, ConsoleDimensions
from rich.measure import Measurement
from rich.table import Column, Table

from .terminal import redirected, say, usable, visible


class Screen(Console):
    """Standard output, whose reader may leave: the command line decides what happens then."""

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and rows: see `usable`."""
        return ConsoleDimensions(*usable(super().size))

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        """Columns and rows from now on."""
        self.width, self.height = new_size

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1."""
        raise BrokenPipeError


def opened(file: IO[str] | None = None) -> Screen:
    """A screen that shows names as they are; by default standard output.

    In a notebook rich shows everything itself, whatever the file: not what is for a file.
    """
    jupyter = None if file is None else False
    return Screen(file=file, highlight=False, soft_wrap=True, markup=False, emoji=False, force_jupyter=jupyter)


console = opened()
MAX_WIDTH = 200  # characters of a table
GAP = 2  # characters between columns
ROWS = 100  # of a table; the rest is counted, since measuring 10,000 takes seconds
TEXT_WIDTH = 24  # characters to which a column of words may shrink


def table_of(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> Table:
    """A table of the first ROWS rows, and the number of the others. Columns whose title begins with `#` hold numbers:
    they are aligned right and never wrapped."""
    rows = list(rows)
    table = Table(title=title and shown(title), title_justify="left", box=None, pad_edge=False)
    if len(rows) > ROWS:
        table.caption, table.caption_justify = f"and {len(rows) - ROWS:,} more", "left"
    for name in columns:
        number = name.startswith("#")
        table.add_column(name.removeprefix("#"), justify="right" if number else "left", no_wrap=number)
    for row in rows[:ROWS]:
        table.add_row(*(shown(cell).replace("\n", "\\n") for cell in row))
    return table


def shown(text: str) -> str:
    """Text as it can be printed: see `terminal.visible`."""
    return visible(text, console.encoding)


def print_table(table: Table) -> None:
    """Print all of a table, or hand it to the logger, as `say` does with a text."""
    if not redirected():
        draw(table, console)
        return
    text = io.StringIO()
    draw(table, opened(text))
    say(text.getvalue().rstrip("\n"), wrap=False)


def draw(table: Table, console: Console) -> None:
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
