"""The commands of the course report: its experiments, and the data that they need."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

from ..course.experiments import DERIVED, EXPERIMENTS, RECIPES
from ..errors import UserError
from .parsing import Commands, command


def add_reproduce(commands: Commands) -> None:
    """reproduce"""
    text = "Train every experiment of the course report and write results.json and report.html."
    parser = command(commands, "reproduce", reproduce, text)
    parser.meant = experiments
    add = parser.add_argument
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
    add_backgrounds(add)
    add("--out", type=Path, default=Path("reproduction"), metavar="DIR", help="output folder (default: reproduction)")


def add_backgrounds(add: Callable[..., object]) -> None:
    """The option for scenes with one object."""
    text = "backgrounds of scenes from CIFAR-100's train.bin and test.bin there (default: other images of the data)"
    add("--backgrounds", default="", metavar="FOLDER", help=text)


def experiments(words: list[str]) -> str:
    """Experiments without their option, `B1 F2`, as ` (did you mean `--only B1,F2`?)`; nothing for other words."""
    only = ",".join(words)
    known = {*EXPERIMENTS, *DERIVED}
    return f" (did you mean `--only {only}`?)" if known.issuperset(only.upper().split(",")) else ""


def reproduce(arguments: argparse.Namespace) -> None:
    """Train, compare, report."""
    from ..course.reproduce import Options
    from ..course.reproduce import reproduce as work
    from ..terminal import say

    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Options)}
    say(f"report: {work(Options(**given).resolved())}")


def add_download(commands: Commands) -> None:
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
    from ..course.data.download import download_cifar10
    from ..terminal import say

    say(f"CIFAR-10 is in {download_cifar10(arguments.source)}")


def add_scenes(commands: Commands) -> None:
    """scenes"""
    text = (
        "Write Transformed CIFAR-10 in the layout of the course (imgs/, masks/, devkit/), or, with --objects, scenes "
        "with many objects as a COCO data set (train/, val/, test/)."
    )
    add = command(commands, "scenes", scenes, text).add_argument
    add("out", type=Path, metavar="OUT", help="a new folder")
    add(
        "--data",
        choices=["cifar10", "sample"],
        default="cifar10",
        metavar="DATA",
        help="cifar10 or sample (default: cifar10)",
    )
    add_backgrounds(add)
    add("--objects", metavar="LOW-HIGH", help="fewest and most objects an image, as in 0-6")
    add("--side", type=int, metavar="PX", help="with --objects: side of the images (default: 96)")
    add(
        "--images",
        type=int,
        metavar="N",
        help="with --objects: training images; a tenth of it for val, a fifth for test (default: 5000)",
    )


def numbers(text: str) -> tuple[int, int]:
    """`0-6` as 0 and 6; `4` as 4 and 4."""
    low, _, high = text.partition("-")
    try:
        return int(low), int(high or low)
    except ValueError:  # not as argparse's `type`: its message would not say what to write
        raise UserError(f"--objects {text}: use LOW-HIGH, as in 0-6") from None


def scenes(arguments: argparse.Namespace) -> None:
    """Write the fixed scenes of seed 0, or scenes with many objects."""
    if arguments.objects is not None and arguments.backgrounds:
        raise UserError("--backgrounds belongs to scenes with one object: leave out --objects, or leave it out")
    if arguments.objects is not None:
        many(arguments)
    elif arguments.side is not None or arguments.images is not None:
        raise UserError("--side and --images belong to scenes with many objects: add --objects 0-6 or leave them out")
    else:
        one(arguments)


def one(arguments: argparse.Namespace) -> None:
    """Write the fixed scenes of seed 0."""
    from ..course.data.archive import write_scenes
    from ..course.data.datasets import with_backgrounds
    from ..terminal import say

    count = write_scenes(arguments.out, with_backgrounds(arguments.data, arguments.backgrounds))
    say(f"{count} scenes written to {arguments.out}")


def many(arguments: argparse.Namespace) -> None:
    """Write scenes with many objects."""
    from ..course.data.crowded import Crowd, write_crowded
    from ..terminal import say

    crowd = Crowd(numbers(arguments.objects), 96 if arguments.side is None else arguments.side)
    images = 5000 if arguments.images is None else arguments.images
    for split, (count, objects) in write_crowded(arguments.out, arguments.data, crowd, images).items():
        say(f"{split}: {count:,} images with {objects:,} objects")
    say(f"written to {arguments.out}")


ADD = (add_reproduce, add_download, add_scenes)
