"""A fixed copy of a data set, with a list of the changes. No torch here."""

from pathlib import Path

from .annotations import Report
from .formats import write
from .formats.writing import image_names
from .overview import not_carried_over, verb


def fix(report: Report, out: Path) -> None:
    """Write what is valid as COCO, images byte by byte, and `fixes.txt`. The data themselves are not changed.

    `fixes.txt` has a line for each fault, for each image that has another name in the copy, and for what it lacks.
    Raises UserError when nothing is valid, when `out` is not empty, lies inside the data, or cannot be written.
    """
    lines = [f"{verb(fault)}: {fault.kind}: {fault}" for fault in report.faults]
    names = image_names(report.clean)
    lines += [f"renamed: {path}: {name}" for path, name in names.items() if path.name != name]
    lines = lines or ["no faults: this is a copy of images, boxes, classes, crowds and splits"]
    lines += filter(None, [not_carried_over(report.summary)])
    write(report.clean, out, "coco", {"fixes.txt": "\n".join(lines)})
