"""What the commands that measure print on the terminal."""

from typing import Any

from ..screen import print_table, table_of
from ..terminal import say


def costs(result: dict[str, Any]) -> None:
    """The layers of a network with their multiplications."""
    rows = []
    for row in result["layers"]:
        kernel, output = ("×".join(map(str, row[name])) for name in ("kernel", "output"))
        channels = f"{row['in_channels']} → {row['out_channels']}"
        numbers = f"{row['multiplications']:,}", f"{row['parameters']:,}"
        rows.append((row["name"], row["kind"], kernel, channels, output, *numbers))
    columns = "layer", "kind", "#kernel", "#channels", "#output", "#multiplications", "#parameters"
    print_table(table_of(columns, rows))
    say(f"{result['network']}, input {'×'.join(map(str, result['input']))}: {result['parameters']:,} parameters")
    convolutions, linear = result["multiplications"], result["multiplications_linear"]
    say(f"{convolutions:,} multiplications in convolutions, {linear:,} in linear layers")


def bench(result: dict[str, Any]) -> None:
    """Speed of an iteration by experiment."""
    names = "milliseconds", "images_per_second", "gflops", "matrix_product_gflops"
    rows = [(r["experiment"], *(f"{r[name]:.0f}" for name in names), f"{r['ratio']:.2f}") for r in result["rows"]]
    print_table(table_of(("experiment", "#ms", "#images/s", "#GFLOP/s", "#matrix product", "#ratio"), rows))
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


def bench_growth(result: dict[str, Any]) -> None:
    """Times and memory at each point, exponents, and parts of the training time."""
    shown = "iteration", "data", "augmentation", "evaluation"
    rows = [
        (
            *(f"{row[name]:,}" for name in ("images", "side", "objects")),
            *(f"{1e3 * row[name]:.3g}" for name in shown),
            f"{row['opening']:.3g}",
            f"{row['memory']:.2f}",
        )
        for row in result["points"]
    ]
    times = "#iteration, ms", "#data, ms", "#augmentation, ms", "#evaluation, ms an image"
    print_table(table_of(("#images", "#side", "#objects", *times, "#opening, s", "#memory, GB"), rows))
    say("")
    names = list(next(iter(result["exponents"].values())))
    powers = [(axis, *(f"{of[name]:.2f}" for name in names)) for axis, of in result["exponents"].items()]
    title = "grows with this power of the number (least squares of logarithms over the larger half of the points)"
    print_table(table_of(("of", *(f"#{name}" for name in names)), powers, title))
    say("")
    parts = [(run, *(f"{100 * share:.1f} %" for share in of.values())) for run, of in result["shares"].items()]
    columns = "run", "#data", "#augmentation", "#evaluation on the way", "#at the end"
    print_table(table_of(columns, parts, "parts of the training time"))
    say(f"{machine(result)}; batch {result['batch']}, {result['preset']} network, medians of {result['rounds']} rounds")


def machine(result: dict[str, Any]) -> str:
    """Processor, threads and precision of a measurement."""
    hardware = result["hardware"]
    return f"{hardware['processor']}, {hardware['threads']} threads, {hardware['precision']}"
