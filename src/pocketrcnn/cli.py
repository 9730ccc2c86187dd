"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from .config import nearest
from .errors import UserError
from .experiments import NETWORKS, RECIPES
from .version import __version__

FAILURE = 2


class Parser(argparse.ArgumentParser):
    """argparse with errors of one line that name the nearest known word."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see `{self.prog} --help`)")

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """As in argparse, but unknown options are refused here, where the known ones are at hand."""
        found, rest = super().parse_known_args(args, namespace)
        for word in rest:
            if word.startswith("-"):
                options = [option for action in self._actions for option in action.option_strings]
                self.error(f"unknown option {word.split('=')[0]}{nearest(word.split('=')[0], options)}")
        return found, rest

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            words = [str(choice) for choice in action.choices]
            what = "/".join(action.option_strings) or action.metavar or action.dest
            self.error(f"{what}: unknown word `{value}`{nearest(str(value), words)}; there are {', '.join(words)}")


def parser() -> Parser:
    """All commands and options."""
    top = Parser(
        prog="pocketrcnn",
        description="Object detectors for small images, trained from scratch on a CPU.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pocketrcnn {__version__}")
    commands = top.add_subparsers(dest="verb", metavar="COMMAND", parser_class=Parser)
    for add in (add_reproduce, add_download, add_scenes, add_costs, add_bench, add_report):
        add(commands)
    return top


def command(
    commands: argparse._SubParsersAction[Parser], name: str, run: Callable[[argparse.Namespace], None], text: str
) -> Parser:
    """A command with its function and its line of help."""
    made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    made.set_defaults(run=run)
    return made


def add_reproduce(commands: argparse._SubParsersAction[Parser]) -> None:
    """reproduce"""
    text = "Train every experiment of the course report and write results.json and report.html."
    add = command(commands, "reproduce", reproduce, text).add_argument
    add("--full", action="store_true", help="2,000 iterations each, as in the course (default: short schedules)")
    add(
        "--recipe",
        choices=[*RECIPES, "both"],
        default="pocket",
        help="pocket: ours; course: the published procedure (default: pocket)",
    )
    add("--only", default="", metavar="IDS", help="some experiments, as in B1,F2")
    add(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="runs with other random numbers, for mean and spread (default: 1)",
    )
    add("--iterations", type=int, metavar="N", help="another number of iterations for all")
    add("--batch", type=int, default=100, metavar="N", help="images in an iteration (default: 100)")
    add(
        "--checkpoint",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="time between two savings of the full state (default: 20)",
    )
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    add(
        "--data",
        default="cifar10",
        metavar="DATA",
        help="cifar10, sample (inside the package), or a folder of scenes in the course's layout",
    )
    add("--out", type=Path, default=Path("reproduction"), metavar="DIR", help="output folder (default: reproduction)")


def reproduce(arguments: argparse.Namespace) -> None:
    """Train, compare, report."""
    from .reproduce import Options
    from .reproduce import reproduce as work
    from .show import say

    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Options)}
    say(f"report: {work(Options(**given))}")


def add_download(commands: argparse._SubParsersAction[Parser]) -> None:
    """download"""
    text = "Fetch and verify CIFAR-10, once, into the cache folder (POCKETRCNN_DATA, else the platform's)."
    add = command(commands, "download", download, text).add_argument
    add("dataset", choices=["cifar10"], metavar="DATASET", help="cifar10")
    add(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER_OR_ARCHIVE",
        help="what you already have, in the binary layout",
    )


def download(arguments: argparse.Namespace) -> None:
    """Fetch CIFAR-10."""
    from .data.download import download_cifar10
    from .show import say

    say(f"CIFAR-10 is in {download_cifar10(arguments.source)}")


def add_scenes(commands: argparse._SubParsersAction[Parser]) -> None:
    """scenes"""
    text = "Write Transformed CIFAR-10 in the layout of the course (imgs/, masks/, devkit/)."
    add = command(commands, "scenes", scenes, text).add_argument
    add("out", type=Path, metavar="OUT", help="a new folder")
    add(
        "--data",
        choices=["cifar10", "sample"],
        default="cifar10",
        metavar="DATA",
        help="cifar10 or sample (default: cifar10)",
    )


def scenes(arguments: argparse.Namespace) -> None:
    """Write the fixed scenes of seed 0."""
    from .data.archive import write_scenes
    from .show import say

    say(f"{write_scenes(arguments.out, arguments.data)} scenes written to {arguments.out}")


def add_costs(commands: argparse._SubParsersAction[Parser]) -> None:
    """costs"""
    text = "Multiplications and parameters of a network, layer by layer."
    add = command(commands, "costs", costs, text).add_argument
    add("network", choices=list(NETWORKS), metavar="NETWORK", help=", ".join(NETWORKS))
    add("--size", type=int, metavar="PX", help="side of the input (default: the network's own)")
    add("--json", action="store_true", help="as JSON")


def costs(arguments: argparse.Namespace) -> None:
    """Count multiplications."""
    from . import show
    from .costs import summary, with_size

    found = summary(arguments.network, with_size(NETWORKS[arguments.network], arguments.size))
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show.costs(found)


def add_bench(commands: argparse._SubParsersAction[Parser]) -> None:
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
    from . import show
    from .bench import step

    if arguments.rounds < 1:
        raise UserError(f"--rounds {arguments.rounds}: use 1 or more")
    found = step(arguments.data, arguments.rounds, arguments.recipe)
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show.bench(found)


def add_report(commands: argparse._SubParsersAction[Parser]) -> None:
    """report"""
    text = "Make report.html again from results.json."
    command(commands, "report", report, text).add_argument(
        "folder", type=Path, metavar="DIR", help="the output folder of reproduce"
    )


def report(arguments: argparse.Namespace) -> None:
    """results.json to report.html."""
    from .report import write_report
    from .reproduce import REPORT, RESULTS
    from .runs import parse
    from .show import say

    path = arguments.folder / RESULTS
    if not path.is_file():
        raise UserError(f"{path} does not exist: name the output folder of a finished `pocketrcnn reproduce`")
    write_report(parse(path), arguments.folder / REPORT)
    say(f"report: {arguments.folder / REPORT}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: 0, 2 for errors of the user's, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parser().parse_args(words)
        if arguments.verb is None:
            parser().print_help()
            return FAILURE
        arguments.command = shlex.join(["pocketrcnn", *words])
        arguments.run(arguments)
    except UserError as error:
        print(f"pocketrcnn: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt as error:
        resumable = f"{error}; the same command goes on from here"  # what the training loop says, if it was running
        print(f"\npocketrcnn: {resumable if str(error) else 'interrupted'}", file=sys.stderr)
        return getattr(error, "code", 130)
    except BrokenPipeError:  # `pocketrcnn costs convnet | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
