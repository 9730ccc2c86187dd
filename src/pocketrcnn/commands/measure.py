"""The commands that measure and show: costs of a network, speed of the machine, report of a run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import UserError
from ..experiments import NETWORKS, RECIPES
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
    from .. import show
    from ..costs import summary, with_size

    found = summary(arguments.network, with_size(NETWORKS[arguments.network], arguments.size))
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show.costs(found)


def add_bench(commands: Commands) -> None:
    """bench"""
    text = "Time a training iteration against a matrix product."
    add = command(commands, "bench", bench, text).add_argument
    add("what", choices=["step"], metavar="WHAT", help="step: one iteration of B1, B2, B3 and F2, everything included")
    add(
        "--data",
        choices=["cifar10", "sample"],
        default="sample",
        metavar="DATA",
        help="cifar10 or sample (default: sample)",
    )
    add("--recipe", choices=list(RECIPES), default="pocket", help="default: pocket")
    add("--rounds", type=int, default=20, metavar="N", help="measured iterations (default: 20)")
    add("--json", action="store_true", help="as JSON")


def bench(arguments: argparse.Namespace) -> None:
    """Time iterations."""
    from .. import show
    from ..bench import step

    if arguments.rounds < 1:
        raise UserError(f"--rounds {arguments.rounds}: use 1 or more")
    found = step(arguments.data, arguments.rounds, arguments.recipe)
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show.bench(found)


def add_report(commands: Commands) -> None:
    """report"""
    text = "Make report.html again from results.json."
    command(commands, "report", report, text).add_argument(
        "folder", type=Path, metavar="DIR", help="the output folder of reproduce"
    )


def report(arguments: argparse.Namespace) -> None:
    """results.json to report.html."""
    from ..report import write_report
    from ..reproduce import REPORT, RESULTS
    from ..runs import parse
    from ..show import say

    path = arguments.folder / RESULTS
    if not path.is_file():
        raise UserError(f"{path} does not exist: name the output folder of a finished `pocketrcnn reproduce`")
    write_report(parse(path), arguments.folder / REPORT)
    say(f"report: {arguments.folder / REPORT}")


ADD = (add_costs, add_bench, add_report)
