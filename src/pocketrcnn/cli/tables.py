"""What the commands that measure print on the terminal."""

from __future__ import annotations

from typing import Any

from ..terminal import columns, print_table, say


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
