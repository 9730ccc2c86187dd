"""The commands for data sets: what is in them, what is wrong with them, and other formats for them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated
from typing import get_args as choices

from ..custom.commands.data import Format
from ..custom.options import Data, ReadOptions

LOST = 1  # exit code where images or objects are skipped


def check(
    data: Data,
    *,
    options: ReadOptions,
    as_json: Annotated[bool, "--json", "print JSON, with all faults"] = False,
    fix: Annotated[
        Path | None, "OUT", "write a fixed copy (COCO, a folder per split) and fixes.txt to a new folder"
    ] = None,
) -> int:
    """Show what is in a data set, and every fault with file, object and reason. Exit code 1 if training would skip
    images or objects, or refuse the data."""
    from ..custom.commands.data import run_check

    checked = run_check(data, options, fix, quiet=as_json)
    report = checked.report
    if as_json:
        faults = [dataclasses.asdict(fault) | {"file": str(fault.file)} for fault in report.faults]
        print(json.dumps({"summary": report.summary, "faults": faults, "refused": checked.refused}, indent=1))
    return LOST if checked.loses else 0


def convert(
    data: Data,
    out: Annotated[Path, "OUT", "a new folder"],
    *,
    options: ReadOptions,
    to: Annotated[Format, "FORMAT", ", ".join(choices(Format))],
) -> int:
    """Write a data set in another format, images included. Faulty objects are named and skipped. Exit code 1 if
    any were skipped."""
    from ..custom.commands.data import run_conversion

    return LOST if run_conversion(data, out, to, options).drops else 0
