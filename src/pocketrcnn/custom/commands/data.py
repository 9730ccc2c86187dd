"""`pocketrcnn.check` and `convert`. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...errors import shown
from ...terminal import say
from ..options import BBox, BoxUnits, DataPages, FollowOutside, ReadOptions, VocOrigin, require_words
from .telling import Place, told

if TYPE_CHECKING:
    from ...data.annotations import Report

Format = Literal["coco", "voc", "yolo", "csv"]


@dataclass(frozen=True)
class Checked:
    """What is in a data set, and what is wrong with it.

    report: `summary` (numbers, as `check --json` prints them), `faults`, and `clean`, the annotations that can be used.
    refused: why `train` refuses the data; empty where it does not.
    """

    report: Report
    refused: str

    @property
    def loses(self) -> bool:
        """Whether training would skip images or objects, or refuse the data."""
        return self.report.drops or bool(self.refused)


def check(
    data: Place,
    *,
    fix: Place | None = None,
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    quiet: bool = False,
) -> Checked:
    """What is in a data set, and every fault, as `pocketrcnn check` shows them.

    data: a folder, an archive or a file of annotations. fix: a new folder for a fixed copy. voc_origin: the first pixel
    of Pascal VOC files is 0 or 1. bbox: `auto`, or what the four numbers are, as `xyxy`. units: `auto`, `pixels` or
    `fractions`. follow_outside: also read files outside of the folder that annotations name. pages: what is read of
    files of several. quiet: say nothing. Raises UserError where no data set is found; faults of files are in the
    result.
    """
    numbers = {"voc_origin": voc_origin, "bbox": bbox, "units": units}
    options = ReadOptions(**numbers, follow_outside=follow_outside, pages=pages)  # type: ignore[arg-type]
    return run_check(data, options, fix, quiet)


def run_check(data: Place, options: ReadOptions, fix: Place | None, quiet: bool = False) -> Checked:
    """Check with options that are given as one."""
    from ...data.check import require_clear
    from ...data.custom_data import inspected
    from ...data.overview import not_carried_over, render
    from ...data.repair import fix as repair
    from ..learnable import large_images, refusal

    report = inspected(options.source(data))
    refused = refusal(report)
    if fix:
        require_clear(report)
        repair(report, Path(fix))
    with told(quiet):
        render(report)
        if refused and refused not in map(str, report.faults):
            say(f"`train` refuses these data: {refused}")
        if not refused and (large := large_images(report)):
            say(large)
        if fix:
            say("\n".join(filter(None, (not_carried_over(report.summary), f"fixed copy: {fix}"))))
    return Checked(report, refused)


def convert(
    data: Place,
    out: Place,
    *,
    to: Format,
    voc_origin: VocOrigin = 0,
    bbox: BBox = "auto",
    units: BoxUnits = "auto",
    follow_outside: FollowOutside = False,
    pages: DataPages = "first",
    quiet: bool = False,
) -> Report:
    """Write a data set in another format to a new folder, as `pocketrcnn convert` does; returns what `check` found.

    out: the new folder. to: the format. data, voc_origin, bbox, units, follow_outside, pages, quiet: as in `check`.
    Raises UserError for data that cannot be read or have more than one meaning, and where `out` is not empty.
    """
    numbers = {"voc_origin": voc_origin, "bbox": bbox, "units": units}
    options = ReadOptions(**numbers, follow_outside=follow_outside, pages=pages)  # type: ignore[arg-type]
    return run_conversion(data, out, to, options, quiet)


def run_conversion(data: Place, out: Place, to: Format, options: ReadOptions, quiet: bool = False) -> Report:
    """Convert with options that are given as one."""
    from ...data.check import require_clear
    from ...data.custom_data import inspected
    from ...data.formats import write

    require_words(to=(to, Format))
    report = inspected(options.source(data))
    require_clear(report)
    write(report.clean, Path(out), to)
    with told(quiet):
        say_converted(report, Path(out), to)
    return report


def say_converted(report: Report, out: Path, to: str) -> None:
    """What a copy has, and what it lacks."""
    from ...data.formats.table_writing import lost_classes
    from ...data.overview import counted, not_carried_over, render_faults

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
