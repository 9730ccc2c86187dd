"""The page of `reproduce`: a pure function of `results.json`."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...report import phrases
from ...report.blocks import Cell, Page, Section
from ...report.html import html, write
from ...report.prose import Prose
from . import closing, comparison, experiment, gallery, networks, observations
from .records import Results, read

TITLE = "Every number of the report, beside ours"
OTHER_TITLE = "The experiments of the report, on other images"
PARTS = {"b1": "Base networks", "r1": "Region proposals", "f1": "Faster R-CNN", "a1": "Observations"}
prose = Prose(__name__, "page.md")


def write_report(results: dict[str, Any], path: Path) -> None:
    """Render the page and put it at `path`, whole or not at all. Raises UserError where it cannot be written."""
    write(render(results), path)


def render(results: dict[str, Any]) -> str:
    """`results.json`, parsed, as one self-contained HTML page. The same results give the same text.

    Raises UserError where `results` has another schema or lacks a part.
    """
    known = read(results)
    introduction = prose.paragraphs(
        "introduction",
        it=known,
        experiments={record.id for record in known.records},
        machine=phrases.machine(known.hardware),
        verdicts=comparison.verdicts(known),
    )
    page = Page(
        title="pocket-rcnn: the course report, reproduced",
        heading=TITLE if known.comparable else OTHER_TITLE,
        version=known.version,
        created=known.created,
        source="`results.json`",
        opening=[figure] if (figure := gallery.opening(known)) else [],
        introduction=introduction,
        sections=sections(known),
        tables=[table for table in (observations.verdict_table(known), comparison.summary_table(known)) if table],
        banner=prose("banner", data=known.data),
        remark=prose("careful") if known.comparable else "",
        more=Cell("All errata", "errata"),
    )
    return html(page)


def sections(results: Results) -> list[Section]:
    """All sections in the order of the page."""
    one = partial(experiment.section, results)
    detectors = [*gallery.DETECTORS, *(id for id in gallery.EXTRA if results.find(id))]
    body = [*map(one, networks.NETWORKS), networks.compare(results), one("B5"), one("R1"), one("R2")]
    body += [gallery.crops(results), *map(one, detectors), gallery.detections(results), *observations.sections(results)]
    parted = [replace(section, part=PARTS.get(section.id, "")) for section in body]
    return [*parted, comparison.final(results), closing.errata(), closing.reproduce(results)]
