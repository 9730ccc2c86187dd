"""The page of `reproduce`: a pure function of `results.json`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...report import phrases
from ...report.blocks import Cell, Page, Section
from ...report.html import html, write
from . import closing, comparison, detectors, networks
from .records import Results, read

TITLE = "Every number of the report, beside ours"
OTHER_TITLE = "The experiments of the report, on other images"
PARTS = {"b1": "Base networks", "r1": "Region proposals", "f1": "Faster R-CNN"}
SCHEDULES = {
    "short": "These are short runs, with fewer iterations than the 2,000 of the report. `pocketrcnn reproduce "
    "--full` takes as many.",
    "full": "These are full runs, with as many iterations as in the report.",
    "custom": "The number of iterations was chosen by hand; it stands beside every result.",
}
SAMPLE = (
    "These are results on the small sample of CIFAR-10 that comes with the package, and not on CIFAR-10. They "
    "show that everything runs; nothing here is compared with the report. `pocketrcnn reproduce` takes the real "
    "data."
)

FOLDER = (
    "These are results on scenes from a folder, of which nobody can say whether they are those of the report. Nothing "
    "here is compared with it, the base networks neither, whose images are those of CIFAR-10. `pocketrcnn reproduce` "
    "makes its own scenes."
)
BANNERS = {"cifar10": "", "sample": SAMPLE}  # all other data are folders


def write_report(results: dict[str, Any], path: Path) -> None:
    """Render the page and put it at `path`, whole or not at all. Raises UserError where it cannot be written."""
    write(render(results), path)


def render(results: dict[str, Any]) -> str:
    """`results.json`, parsed, as one self-contained HTML page. The same results give the same text.

    Raises UserError where `results` has another schema or lacks a part.
    """
    found = read(results)
    page = Page(
        title="pocket-rcnn: the course report, reproduced",
        heading=TITLE if found.comparable else OTHER_TITLE,
        version=found.version,
        created=found.created,
        source="`results.json`",
        introduction=introduction(found),
        sections=sections(found),
        table=comparison.summary_table(found),
        banner=BANNERS.get(found.data, FOLDER),
        remark=comparison.CAREFUL if found.comparable else "",
        more=Cell("All errata", "errata"),
    )
    return html(page)


def introduction(results: Results) -> list[str]:
    """What this is, on what it ran, and how it came out."""
    number = len({record.id for record in results.records})
    runs = "This experiment" if number == 1 else f"These {number} experiments"
    beside = ", each published number beside ours" if results.comparable else ""
    what = (
        "A course report of 2017 trained three small networks on CIFAR-10 and built a Faster R-CNN from them, part by "
        f"part. This page has its experiments once more, trained from scratch{beside}."
    )
    peak = results.peak_memory_gb
    where = f"{runs} took {phrases.duration(results.seconds_total)} in all on {phrases.machine(results.hardware)}." + (
        "" if peak is None else f" Peak memory was {peak:.1f} GB."
    )
    verdicts = comparison.verdicts(results)
    schedule = SCHEDULES.get(results.schedule, SCHEDULES["custom"])
    return [what, " ".join([*verdicts, where]), schedule]


def sections(results: Results) -> list[Section]:
    """All sections in the order of the page."""
    body = [*networks.sections(results), *detectors.sections(results)]
    parted = [replace(section, part=PARTS.get(section.id, "")) for section in body]
    return [*parted, comparison.final(results), closing.errata(), closing.reproduce(results)]
