"""The commands for data sets: what is in them, what is wrong with them, and other formats for them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal
from typing import get_args as choices

from ..config import DataConfig
from ..custom.options import BBox, BoxUnits, Data, DataPages, FollowOutside, VocOrigin
from ..errors import shown

LOST = 1  # exit code where images or objects are skipped
Format = Literal["coco", "voc", "yolo", "csv"]


def check(
    data: Data,
    *,
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    as_json: Annotated[bool, "--json", "print JSON, with all faults"] = False,
    fix: Annotated[
        Path | None, "OUT", "write a fixed copy (COCO, a folder per split) and fixes.txt to a new folder"
    ] = None,
) -> int:
    """Show what is in a data set, and every fault with file, object and reason. Exit code 1 if training would skip
    images or objects, or refuse the data."""
    from ..custom.learnable import large_images, refusal
    from ..data.check import require_clear
    from ..data.custom_data import inspected
    from ..data.overview import not_carried_over, render
    from ..data.repair import fix as repair
    from ..terminal import say

    report = inspected(DataConfig(str(data), "folder", (), voc_origin, bbox, units, follow_outside, pages=pages))
    refused = refusal(report)
    if fix:
        require_clear(report)
        repair(report, fix)
    if as_json:
        faults = [dataclasses.asdict(fault) | {"file": str(fault.file)} for fault in report.faults]
        print(json.dumps({"summary": report.summary, "faults": faults, "refused": refused}, indent=1))
    else:
        render(report)
        if refused and refused not in map(str, report.faults):
            say(f"`train` refuses these data: {refused}")
        if not refused and (large := large_images(report)):
            say(large)
        if fix:
            say("\n".join(filter(None, (not_carried_over(report.summary), f"fixed copy: {fix}"))))
    return LOST if report.drops or refused else 0


def convert(
    data: Data,
    out: Annotated[Path, "OUT", "a new folder"],
    *,
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    to: Annotated[Format, "FORMAT", ", ".join(choices(Format))],
) -> int:
    """Write a data set in another format, images included. Faulty objects are named and skipped. Exit code 1 if
    any were skipped."""
    from ..data.check import require_clear
    from ..data.custom_data import inspected
    from ..data.formats import write
    from ..data.formats.table_writing import lost_classes
    from ..data.overview import counted, not_carried_over, render_faults
    from ..terminal import say

    report = inspected(DataConfig(str(data), "folder", (), voc_origin, bbox, units, follow_outside, pages=pages))
    require_clear(report)
    write(report.clean, out, to)
    render_faults(report.faults)
    summary = report.summary
    if summary["crowds"] and to == "yolo":
        say(f"YOLO has no crowds: {counted(summary['crowds'], 'crowd')} skipped")
    if to == "yolo" and not summary["splits"].get("val"):
        say("no validation images: `val` in data.yaml names the path of another split, since other programs want it")
    if to == "csv" and (lost := lost_classes(report.clean)):
        names = shown(", ".join(lost))
        say(f"CSV has no list of classes: {counted(len(lost), 'class')} without an object left out ({names})")
    if report.clean.pages in ("max", "mean") and "pages" in summary["faults"]:
        say(f"files of several pages are copied as they are: use --pages {report.clean.pages} with the copy, too")
    if lacking := not_carried_over(summary):
        say(lacking)
    images, objects = counted(summary["images"], "image"), counted(summary["objects"], "object")
    say(f"{images} with {objects} written to {out} as {to}")
    return LOST if report.drops else 0
