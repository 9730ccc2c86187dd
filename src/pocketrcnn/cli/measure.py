"""The commands that measure and show: costs of a network, speed of the machine, report of a run."""

import json
from pathlib import Path
from typing import Annotated, Literal

from ..course.experiments import NETWORKS, RECIPES
from ..course.options import SOURCES
from ..errors import UserError, nearest, require

AsJson = Annotated[bool, "--json", "print JSON"]


def costs(
    network: Annotated[str, tuple(NETWORKS), "NETWORK", ", ".join(NETWORKS)],
    *,
    input_size: Annotated[int | None, "PX", "side of the square input (default: that of the network)"] = None,
    as_json: AsJson = False,
) -> None:
    """Count the multiplications and parameters of a network, layer by layer."""
    from ..model.costs import summary, with_size
    from . import tables

    counts = summary(network, with_size(NETWORKS[network], input_size))
    if as_json:
        print(json.dumps(counts, indent=1))
    else:
        tables.costs(counts)


def bench(
    what: Annotated[Literal["step", "train"], "WHAT", "step: iterations of B1, B2, B3, F2; train: a custom detector"],
    *,
    data: Annotated[str | None, "DATA", "step: cifar10 or sample (default: sample); train: your data"] = None,
    recipe: Annotated[str, tuple(RECIPES), "step: how the networks are trained"] = "pocket",
    preset: Annotated[Literal["small", "medium", "large"], "train: size of the network"] = "large",
    images: Annotated[int, "N", "train: size of the generated data set"] = 20_000,
    rounds: Annotated[int, "N", "measured iterations"] = 20,
    as_json: AsJson = False,
) -> None:
    """Measure how fast this machine trains: the networks of the course against a matrix product, or a detector on
    custom data."""
    from . import tables

    require(rounds >= 1, f"--rounds {rounds}: use 1 or more")
    require(images >= 1, f"--images {images}: use 1 or more")
    if what == "step":
        from ..course.bench import step

        source = data or "sample"
        require(source in SOURCES, f"--data {source}: unknown{nearest(source, SOURCES)}; use {' or '.join(SOURCES)}")
        result, show = step(source, rounds, recipe), tables.bench
    else:
        from ..custom.bench import train

        result, show = train(Path(data) if data else None, images, rounds, preset), tables.bench_train
    if as_json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


def report(
    folders: Annotated[list[Path], "RUN", "folders of runs or sets, or the output folder of reproduce"],
    *,
    out: Annotated[
        Path | None,
        "FILE",
        "the page (default: report.html in RUN; for several runs: report.html in the current folder)",
    ] = None,
) -> None:
    """Write a page on a run, on several runs side by side, or on the results of `reproduce`."""
    from ..custom.commands.training import require_page, write_report
    from ..custom.run_set import runs_of
    from ..terminal import say
    from ..training.run import CONFIG

    if out:
        require_page(out)
    if all((folder / CONFIG).is_file() for named in folders for folder in runs_of(named)):
        write_report(*folders, out=out)
    else:
        say(f"report: {report_of_results(folders, out)}")


def report_of_results(folders: list[Path], out: Path | None) -> Path:
    """The page of `reproduce`, written again."""
    from ..course.report.page import write_report
    from ..course.reproduce import REPORT, RESULTS
    from ..training.run import CONFIG, parse

    given = next((folder for folder in folders if not (folder / CONFIG).is_file()), folders[0])
    path = given if given.is_file() and given.name == RESULTS else given / RESULTS
    if not path.is_file():
        raise UserError(
            f"{path} does not exist: name the output folder of a finished `pocketrcnn reproduce`, or folders of runs, "
            f"which have a {CONFIG}"
        )
    if len(folders) > 1:
        raise UserError(f"{path.parent} is not the folder of a run: name it alone, or several runs to compare")
    page = out or path.parent / REPORT
    write_report(parse(path), page)
    return page
