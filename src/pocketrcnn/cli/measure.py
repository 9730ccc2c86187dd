"""The commands that measure and show: costs of a network, speed of the machine, report of a run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..course.experiments import NETWORKS, RECIPES
from ..errors import UserError, nearest
from .detector import PRESETS
from .parsing import Commands, command


def add_costs(commands: Commands) -> None:
    """costs"""
    text = "Multiplications and parameters of a network, layer by layer."
    add = command(commands, "costs", costs, text).add_argument
    add("network", choices=list(NETWORKS), metavar="NETWORK", help=", ".join(NETWORKS))
    add("--size", type=int, metavar="PX", help="side of the input (default: the network's own)")
    add("--json", action="store_true", help="as JSON")


def costs(arguments: argparse.Namespace) -> None:
    """Count multiplications."""
    from ..model.costs import summary, with_size

    found = summary(arguments.network, with_size(NETWORKS[arguments.network], arguments.size))
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        from . import tables

        tables.costs(found)


def add_bench(commands: Commands) -> None:
    """bench"""
    text = "How fast this machine trains: an iteration against a matrix product, or a detector of your own."
    add = command(commands, "bench", bench, text).add_argument
    what = "step: an iteration of B1, B2, B3 and F2, everything included; train: a detector of your own"
    add("what", choices=["step", "train"], metavar="WHAT", help=what)
    add("--data", metavar="DATA", help="step: cifar10 or sample (default: sample); train: your data (default: none)")
    add("--recipe", choices=list(RECIPES), default="pocket", help="step: default: pocket")
    add("--preset", choices=PRESETS[1:], default="large", help="train: default: large")
    add("--images", type=int, default=20_000, metavar="N", help="train: size of the drawn data set (default: 20,000)")
    add("--rounds", type=int, default=20, metavar="N", help="measured iterations (default: 20)")
    add("--json", action="store_true", help="as JSON")


def bench(arguments: argparse.Namespace) -> None:
    """Time iterations."""
    from . import tables

    for name in ("rounds", "images"):
        if getattr(arguments, name) < 1:
            raise UserError(f"--{name} {getattr(arguments, name)}: use 1 or more")
    found = bench_step(arguments) if arguments.what == "step" else bench_train(arguments)
    if arguments.json:
        print(json.dumps(found, indent=1))
    elif arguments.what == "step":
        tables.bench(found)
    else:
        tables.bench_train(found)


def bench_step(arguments: argparse.Namespace) -> dict[str, Any]:
    """The experiments of the course."""
    from ..course.bench import step

    source = arguments.data or "sample"
    if source not in ("cifar10", "sample"):
        raise UserError(f"--data {source}: unknown{nearest(source, ('cifar10', 'sample'))}; use cifar10 or sample")
    return step(source, arguments.rounds, arguments.recipe)


def bench_train(arguments: argparse.Namespace) -> dict[str, Any]:
    """A detector of one's own."""
    from ..custom.bench import train

    data = Path(arguments.data) if arguments.data else None
    return train(data, arguments.images, arguments.rounds, arguments.preset)


def add_report(commands: Commands) -> None:
    """report"""
    text = "A page on a run, on several runs beside each other, or on what `reproduce` found."
    add = command(commands, "report", report, text).add_argument
    add("folders", type=Path, nargs="+", metavar="RUN", help="folders of runs, or the output folder of reproduce")
    out = "the page (default: report.html in the folder; of several runs, report.html here)"
    add("--out", type=Path, metavar="FILE", help=out)


def report(arguments: argparse.Namespace) -> None:
    """Runs, or results.json, to a page."""
    from ..terminal import say
    from ..training.run import CONFIG

    folders: list[Path] = arguments.folders
    if arguments.out:
        require_page(arguments.out)
    runs = all((folder / CONFIG).is_file() for folder in folders)
    made = report_of_runs(folders, arguments.out) if runs else report_of_results(folders, arguments.out)
    say(f"report: {made}")


def report_of_runs(folders: list[Path], out: Path | None) -> Path:
    """One run in full, or several in comparison."""
    from ..custom.report.summary import REPORT, write_comparison, write_run_report
    from ..training.run import open_run

    runs = [open_run(folder) for folder in folders]
    if len(runs) == 1:
        return write_run_report(runs[0], path=out)
    require_page(page := out or Path(REPORT))
    return write_comparison(runs, page)


def require_page(path: Path) -> None:
    """Raises UserError where a page would take the place of something else."""
    if not path.name or path.is_dir():
        raise UserError(f"--out {path} is a folder: name a file in it, as {path / 'report.html'}")
    if path.is_file() and b"Made by pocket-rcnn" not in path.read_bytes():
        raise UserError(f"{path} is no page of pocket-rcnn: name another file with --out, it is not overwritten")


def report_of_results(folders: list[Path], out: Path | None) -> Path:
    """The page of `reproduce`, again."""
    from ..course.report.page import write_report
    from ..course.reproduce import REPORT, RESULTS
    from ..training.run import CONFIG, parse

    place = next((folder for folder in folders if not (folder / CONFIG).is_file()), folders[0])
    path = place if place.is_file() and place.name == RESULTS else place / RESULTS
    if not path.is_file():
        raise UserError(
            f"{path} does not exist: name the output folder of a finished `pocketrcnn reproduce`, or folders of runs, "
            f"which have a {CONFIG}"
        )
    if len(folders) > 1:
        raise UserError(f"{path.parent} is not the folder of a run: name it alone, or several runs to compare")
    made = out or path.parent / REPORT
    write_report(parse(path), made)
    return made


ADD = (add_costs, add_bench, add_report)
