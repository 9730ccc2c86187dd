"""What the commands that measure print on the terminal."""

from typing import Any

from ..terminal import columns, print_table, say


def costs(result: dict[str, Any]) -> None:
    """The layers of a network with their multiplications."""
    words = "layer", "kind"
    table = columns((*words, "kernel", "channels", "output", "multiplications", "parameters"), words)
    for row in result["layers"]:
        kernel, output = ("×".join(map(str, row[name])) for name in ("kernel", "output"))
        channels = f"{row['in_channels']} → {row['out_channels']}"
        numbers = f"{row['multiplications']:,}", f"{row['parameters']:,}"
        table.add_row(row["name"], row["kind"], kernel, channels, output, *numbers)
    print_table(table)
    say(f"{result['network']}, input {'×'.join(map(str, result['input']))}: {result['parameters']:,} parameters")
    convolutions, linear = result["multiplications"], result["multiplications_linear"]
    say(f"{convolutions:,} multiplications in convolutions, {linear:,} in linear layers")


def bench(result: dict[str, Any]) -> None:
    """Speed of an iteration by experiment."""
    names = "experiment", "ms", "images/s", "GFLOP/s", "matrix product", "ratio"
    table = columns(names, ["experiment"])
    for row in result["rows"]:
        numbers = (row["milliseconds"], row["images_per_second"], row["gflops"], row["matrix_product_gflops"])
        table.add_row(row["experiment"], *(f"{number:.0f}" for number in numbers), f"{row['ratio']:.2f}")
    print_table(table)
    say(f"{machine(result)}; medians of {result['rounds']} rounds")


def bench_train(result: dict[str, Any]) -> None:
    """Speed and memory of training a detector on custom data."""
    for name, words in (("data", "your images"), ("drawn", "generated images")):
        if name in result:
            row = result[name]
            size = f"{row['images']:,} {words} of {row['side']} px, batch {row['batch']}"
            say(f"{size}: {row['images_per_second']:.1f} images/s, {row['milliseconds']:.0f} ms per iteration")
    memory = f"peak memory {result['peak_memory_gb']:.2f} GB"
    say(f"{memory}; {machine(result)}; medians of {result['rounds']} rounds")


def machine(result: dict[str, Any]) -> str:
    """Processor, threads and precision of a measurement."""
    hardware = result["hardware"]
    return f"{hardware['processor']}, {hardware['threads']} threads, {hardware['precision']}"
