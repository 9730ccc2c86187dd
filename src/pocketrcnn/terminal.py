"""Lines and tables for the person at the keyboard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.progress import track
from rich.table import Table

Item = TypeVar("Item")


class Screen(Console):
    """Standard output, whose reader may leave: that is the command line's to settle."""

    def on_broken_pipe(self) -> None:
        """Not rich's own way, which ends the program with exit code 1."""
        raise BrokenPipeError


console = Screen(highlight=False, soft_wrap=True, markup=False, emoji=False)  # names are shown as they are
WIDEST = 200  # characters of a table


def say(text: str) -> None:
    """A line for the person at the keyboard."""
    console.print(text)


def columns(names: Sequence[str], words: Sequence[str], title: str | None = None) -> Table:
    """An empty table: columns of `words` to the left, those of numbers to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="left" if name in words else "right", no_wrap=True)
    return table


def print_table(table: Table) -> None:
    """The whole table, however narrow the terminal: a long line is wrapped, but no number is cut off."""
    table.width = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    console.print(table)


def tracked(items: Sequence[Item], text: str) -> Iterable[Item]:
    """The items one by one, with a bar and the time left on a terminal; elsewhere nothing is shown."""
    return track(items, text, console=console, transient=True, disable=not console.is_terminal)
