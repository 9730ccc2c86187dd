"""The commands for a user's data: what is in them, what is wrong with them, and other formats for them."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .parsing import Commands, Parser, command

if TYPE_CHECKING:
    from ..data.annotations import Report

LOST = 1  # exit code when something is skipped


def add_data(made: Parser) -> None:
    """The data set, and how to read it."""
    text = "folder, or JSON, data.yaml, XML or CSV file: COCO, Pascal VOC, YOLO and CSV are recognised by their content"
    made.add_argument("data", type=Path, metavar="DATA", help=text)
    text = "first pixel in VOC boxes: 0, as most programs write them, or 1, as in VOC itself (default: 0)"
    made.add_argument("--voc-origin", type=int, choices=[0, 1], default=0, metavar="N", help=text)


def add_check(commands: Commands) -> None:
    """check"""
    text = "What is in a data set, and every fault with file, object and reason. Exit code 1 if anything is skipped."
    made = command(commands, "check", check, text)
    add_data(made)
    made.add_argument("--json", action="store_true", help="as JSON, with all faults")
    text = "write a fixed copy (COCO, one folder for each split) and fixes.txt to a new folder"
    made.add_argument("--fix", type=Path, metavar="OUT", help=text)


def check(arguments: argparse.Namespace) -> int:
    """Read, check, print; fix if wanted."""
    from ..data.overview import not_carried_over, render
    from ..data.repair import fix
    from ..terminal import say

    report = inspected(arguments)
    if arguments.fix:
        fix(report, arguments.fix)
    if arguments.json:
        faults = [dataclasses.asdict(fault) | {"file": str(fault.file)} for fault in report.faults]
        print(json.dumps({"summary": report.summary, "faults": faults}, indent=1))
    else:
        render(report)
        if arguments.fix:
            if lacking := not_carried_over(report.summary):
                say(lacking)
            say(f"fixed copy: {arguments.fix}")
    return LOST if report.drops else 0


def inspected(arguments: argparse.Namespace) -> Report:
    """The data of a command line, checked."""
    from ..data.check import inspect
    from ..data.formats import read

    return inspect(read(arguments.data, arguments.voc_origin))


def add_convert(commands: Commands) -> None:
    """convert"""
    text = "Write a data set in another format, images included. Faulty objects are listed and skipped: exit code 1."
    made = command(commands, "convert", convert, text)
    add_data(made)
    made.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    formats = ["coco", "voc", "yolo"]
    made.add_argument("--to", choices=formats, required=True, metavar="FORMAT", help=", ".join(formats))


def convert(arguments: argparse.Namespace) -> int:
    """Read, check, write."""
    from ..data.formats import write
    from ..data.overview import counted, not_carried_over, render_faults
    from ..terminal import say

    report = inspected(arguments)
    write(report.clean, arguments.out, arguments.to)
    render_faults(report.faults)
    numbers = report.summary
    if numbers["crowds"] and arguments.to == "yolo":
        say(f"YOLO has no crowds: {counted(numbers['crowds'], 'crowd')} skipped")
    if lacking := not_carried_over(numbers):
        say(lacking)
    objects = counted(numbers["objects"], "object")
    say(f"{counted(numbers['images'], 'image')} with {objects} written to {arguments.out} as {arguments.to}")
    return LOST if report.drops else 0


ADD = (add_check, add_convert)
