"""The live line of a run: progress, loss, images a second, time left. Plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.progress import track
from rich.table import Table

if TYPE_CHECKING:
    pass

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


def costs(found: dict[str, Any]) -> None:
    """The layers of a network with their multiplications."""
    words = "layer", "kind"
    table = columns((*words, "kernel", "channels", "output", "multiplications", "parameters"), words)
    for row in found["layers"]:
        kernel, output = ("×".join(map(str, row[name])) for name in ("kernel", "output"))
        channels = f"{row['in_channels']} → {row['out_channels']}"
        numbers = f"{row['multiplications']:,}", f"{row['parameters']:,}"
        table.add_row(row["name"], row["kind"], kernel, channels, output, *numbers)
    print_table(table)
    say(f"{found['network']}, input {'×'.join(map(str, found['input']))}: {found['parameters']:,} parameters")
    convolutions, linear = found["multiplications"], found["multiplications_linear"]
    say(f"{convolutions:,} multiplications in convolutions, {linear:,} in linear layers")


def bench(found: dict[str, Any]) -> None:
    """Speed of an iteration by experiment."""
    names = "experiment", "ms", "images/s", "GFLOP/s", "matrix product", "ratio"
    table = columns(names, ["experiment"])
    for row in found["rows"]:
        numbers = (row["milliseconds"], row["images_per_second"], row["gflops"], row["matrix_product_gflops"])
        table.add_row(row["experiment"], *(f"{number:.0f}" for number in numbers), f"{row['ratio']:.2f}")
    print_table(table)
    hardware = found["hardware"]
    machine = f"{hardware['processor']}, {hardware['threads']} threads, {hardware['precision']}"
    say(f"{machine}; medians of {found['rounds']} rounds")


def bench_train(found: dict[str, Any]) -> None:
    """Speed and memory of training a detector of one's own."""
    for name, words in (("data", "your images"), ("drawn", "drawn images")):
        if name in found:
            row = found[name]
            size = f"{row['images']:,} {words} of {row['side']} px, batch {row['batch']}"
            say(f"{size}: {row['images_per_second']:.1f} images/s, {row['milliseconds']:.0f} ms an iteration")
    hardware = found["hardware"]
    machine = f"{hardware['processor']}, {hardware['threads']} threads, {hardware['precision']}"
    say(f"peak memory {found['peak_memory_gb']:.2f} GB; {machine}; medians of {found['rounds']} rounds")
